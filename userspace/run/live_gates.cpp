// SPDX-License-Identifier: MIT
#include "live_gates.hpp"

#include <algorithm>
#include <array>
#include <variant>

#include <fmt/format.h>

#include "brownout/findings.hpp"
#include "brownout/text.hpp"

namespace brownout::run {
namespace {

using Standing = LiveState::Standing;

constexpr std::array kAlways{"/error_count", "/api_calls", "/orders_sent"};

struct Demand { std::optional<double> min, max; };

struct DemandOf {
  Demand operator()(const drill::ErrorCountGate& gate) const {
    constexpr auto kAsDouble = [](std::int64_t bound) { return static_cast<double>(bound); };
    return {gate.min_increase.transform(kAsDouble), gate.max_increase.transform(kAsDouble)};
  }
  Demand operator()(const drill::ErrorEventsGate& gate) const { return {static_cast<double>(gate.min), std::nullopt}; }
  Demand operator()(const drill::LatencyGate& gate) const { return {gate.min_increase_ms, gate.max_increase_ms}; }
  Demand operator()(const drill::CounterGate& gate) const { return {gate.min_increase, gate.max_increase}; }
};

// Of the figure that a gate is about; empty for error_events, which are counted.
struct PointerOf {
  std::string operator()(const drill::ErrorCountGate&) const { return "/error_count"; }
  std::string operator()(const drill::ErrorEventsGate&) const { return {}; }
  std::string operator()(const drill::LatencyGate& gate) const { return "/latency_stats_ms/" + gate.field; }
  std::string operator()(const drill::CounterGate& gate) const { return gate.pointer; }
};

std::string text_of(const Demand& demand) {
  std::string text;
  if (demand.min) text = fmt::format("at least {:.10g}", *demand.min);
  if (demand.max) text += fmt::format("{}at most {:.10g}", text.empty() ? "" : ", ", *demand.max);
  return text;
}

Standing standing_of(const Demand& demand, double grown) {
  if (demand.max && grown > *demand.max) return Standing::kExceeded;
  if (!demand.min) return Standing::kHolds;
  return grown < *demand.min ? Standing::kNotYet : Standing::kMet;
}

}  // namespace

std::string standing_name(Standing standing) {
  switch (standing) {
    case Standing::kNotYet: return "not yet";
    case Standing::kMet: return "met";
    case Standing::kHolds: return "holds";
    case Standing::kExceeded: return "exceeded";
    case Standing::kUnknown: break;
  }
  return "unknown";
}

LiveGates::LiveGates(const plan::Plan& plan)
    : plan_(plan), errors_(plan.gates.size()), stood_(plan.gates.size(), Standing::kUnknown) {
  if (!plan.drill.app) return;
  for (const auto* pointer : kAlways) figures_[pointer];
  for (const auto& gate : plan.gates)
    if (const auto pointer = std::visit(PointerOf{}, gate.what); !pointer.empty()) figures_[pointer];
}

void LiveGates::see(const events::Snapshot& snapshot) {
  for (auto& [pointer, figure] : figures_) {
    const auto value = findings::number_at(snapshot, pointer);
    if (!value) continue;
    // What is a latency may fall.
    if (begun_ && figure.now && *value < *figure.now && !pointer.starts_with("/latency_stats_ms/")) figure.fell = true;
    figure.now = value;
    if (begun_ && !figure.before) figure.before = value;
  }
  if (!begun_) return;
  for (std::size_t i = 0; i < plan_.gates.size(); ++i)
    if (const auto* gate = std::get_if<drill::ErrorEventsGate>(&plan_.gates[i].what))
      errors_[i] += static_cast<std::uint64_t>(std::ranges::count_if(
          snapshot.new_errors,
          [gate](const events::AppError& error) { return drill::is_counted(*gate, error.type, error.exception_type); }));
}

void LiveGates::begin() {
  begun_ = true;
  for (auto& [pointer, figure] : figures_) figure.before = figure.now;
}

std::optional<double> LiveGates::grown(std::size_t index) const {
  const auto pointer = std::visit(PointerOf{}, plan_.gates[index].what);
  if (pointer.empty()) return static_cast<double>(errors_[index]);
  const auto found = figures_.find(pointer);
  if (found == figures_.end() || found->second.fell || !found->second.before || !found->second.now) return std::nullopt;
  return *found->second.now - *found->second.before;
}

LiveState::Gate LiveGates::stand(std::size_t index) const {
  const auto demand = std::visit(DemandOf{}, plan_.gates[index].what);
  LiveState::Gate gate{.name = drill::name_of(plan_.gates[index]), .demand = text_of(demand)};
  if (!begun_) return gate;
  gate.grown = grown(index);
  if (gate.grown) gate.standing = standing_of(demand, *gate.grown);
  return gate;
}

std::vector<LiveState::Gate> LiveGates::gates() const {
  std::vector<LiveState::Gate> all;
  for (std::size_t i = 0; i < plan_.gates.size(); ++i) all.push_back(stand(i));
  return all;
}

std::vector<LiveState::Counter> LiveGates::counters() const {
  std::vector<LiveState::Counter> all;
  const auto add = [&](const std::string& pointer, const Figure& figure) {
    if (figure.now) all.push_back({.name = pointer.substr(1), .before = figure.before, .now = figure.now});
  };
  for (const auto* pointer : kAlways)
    if (const auto found = figures_.find(pointer); found != figures_.end()) add(found->first, found->second);
  for (const auto& [pointer, figure] : figures_)
    if (std::ranges::find(kAlways, pointer) == kAlways.end()) add(pointer, figure);
  return all;
}

std::vector<std::string> LiveGates::turned() {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < plan_.gates.size(); ++i) {
    const auto gate = stand(i);
    if (gate.standing == stood_[i]) continue;
    stood_[i] = gate.standing;
    lines.push_back(fmt::format("gate {}: {}: {} ({}; {} wanted)", i + 1, visible(gate.name),
                                standing_name(gate.standing),
                                gate.grown ? fmt::format("grew by {:.10g}", *gate.grown) : "how much it grew is not known",
                                gate.demand));
  }
  return lines;
}

}  // namespace brownout::run
