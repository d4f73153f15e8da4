// SPDX-License-Identifier: MIT
#include "live_gates.hpp"

#include <algorithm>
#include <array>
#include <variant>

#include <strings.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/findings.hpp"
#include "brownout/text.hpp"

namespace brownout::run {
namespace {

using Standing = LiveState::Standing;

constexpr std::array kAlways{"/error_count", "/api_calls", "/orders_sent"};

struct Demand { std::optional<double> min, max; };

std::optional<double> to_double(const std::optional<std::int64_t>& value) {
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

struct DemandOf {
  Demand operator()(const drill::ErrorCountGate& gate) const {
    return {to_double(gate.min_increase), to_double(gate.max_increase)};
  }
  Demand operator()(const drill::ErrorEventsGate& gate) const { return {static_cast<double>(gate.min), std::nullopt}; }
  Demand operator()(const drill::LatencyGate& gate) const { return {gate.min_increase_ms, gate.max_increase_ms}; }
  Demand operator()(const drill::CounterGate& gate) const { return {gate.min_increase, gate.max_increase}; }
};

struct NameOf {
  std::string operator()(const drill::ErrorCountGate&) const { return "error_count"; }
  std::string operator()(const drill::ErrorEventsGate& gate) const {
    return gate.types.empty() ? "error_events" : fmt::format("error_events {}", fmt::join(gate.types, ","));
  }
  std::string operator()(const drill::LatencyGate& gate) const { return "latency " + gate.field; }
  std::string operator()(const drill::CounterGate& gate) const { return "counter " + gate.pointer; }
};

// Of the figure that a gate is about; empty for error_events, which are counted.
struct PointerOf {
  std::string operator()(const drill::ErrorCountGate&) const { return "/error_count"; }
  std::string operator()(const drill::ErrorEventsGate&) const { return {}; }
  std::string operator()(const drill::LatencyGate& gate) const { return "/latency_stats_ms/" + gate.field; }
  std::string operator()(const drill::CounterGate& gate) const { return gate.pointer; }
};

bool is_of_types(const events::AppError& error, const std::vector<std::string>& types) {
  return types.empty() || std::ranges::any_of(types, [&error](const std::string& type) {
    return ::strcasecmp(type.c_str(), error.type.c_str()) == 0 ||
           ::strcasecmp(type.c_str(), error.exception_type.c_str()) == 0;
  });
}

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
          snapshot.new_errors, [gate](const events::AppError& error) { return is_of_types(error, gate->types); }));
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
  const auto& what = plan_.gates[index].what;
  const auto demand = std::visit(DemandOf{}, what);
  LiveState::Gate gate{.name = std::visit(NameOf{}, what), .demand = text_of(demand)};
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
