// SPDX-License-Identifier: MIT
// What the injector says it did, per fault and direction, as it stood at the last sample of the window.
#include <algorithm>
#include <cmath>
#include <tuple>

#include "brownout/abi/match.h"
#include "parts.hpp"
#include "samples.hpp"

namespace brownout::findings {
namespace {

constexpr double kConfidence = 0.9999;

bool drops(const plan::PlannedFault& fault) { return fault.abi.kind != BROWNOUT_FAULT_LATENCY; }

brownout_fault_counters counters_at(const events::CounterSample& sample, std::size_t fault, int direction) {
  const auto index = fault * BROWNOUT_DIRECTIONS + static_cast<std::size_t>(direction);
  return index < sample.faults.size() ? sample.faults[index] : brownout_fault_counters{};
}

void read_line(const Span& span, FaultEffect& effect) {
  const auto direction = static_cast<std::size_t>(effect.direction);
  const auto& line = span.last->line[direction];
  effect.overflow = line.overflow;
  effect.expired = line.expired;
  // The device cannot tell the directions apart: what it dropped is held against each.
  effect.lost_in_line = line.write_errors + span.last->line[0].device_drops;
  effect.redirect_failed = span.last->inject.redirect_failed[direction];
  effect.capped = span.last->inject.capped[BROWNOUT_CAP_PACKETS] + span.last->inject.capped[BROWNOUT_CAP_BYTES];
  const auto halted = [&](const auto& counter) { return growth(counter(*span.first), counter(*span.last)); };
  effect.heartbeat_stale = halted([&](const auto& sample) { return sample.inject.heartbeat_stale[direction]; });
  effect.deadline_passed = halted([&](const auto& sample) { return sample.inject.deadline_passed[direction]; });
}

// Of packets that fare as their neighbours do, many tell as much as a few that fare each by itself.
std::pair<double, double> drops_interval(std::uint64_t matched, const plan::PlannedFault& fault) {
  if (fault.spread <= 1 || matched == 0) return binomial_interval(matched, fault.rate, kConfidence);
  const auto independent = std::max(1.0, std::round(static_cast<double>(matched) / fault.spread));
  const auto [low, high] = binomial_interval(static_cast<std::uint64_t>(independent), fault.rate, kConfidence);
  const double each = static_cast<double>(matched) / independent;
  return {low * each, high * each};
}

void read_drops(const plan::Plan& plan, const Span& span, FaultEffect& effect) {
  const auto& fault = plan.faults[effect.fault];
  for (std::size_t i = 0; i < plan.faults.size(); ++i)
    if (drops(plan.faults[i]))
      effect.dropped_in_direction += counters_at(*span.last, i, effect.direction).applied.packets;
  if (!drops(fault)) return;
  const auto matched = effect.counters.matched.packets;
  effect.expected_drops = static_cast<double>(matched) * fault.rate;
  std::tie(effect.expected_low, effect.expected_high) = drops_interval(matched, fault);
}

}  // namespace

void find_effects(const plan::Plan& plan, const events::Evidence& evidence, const CallDelaysOfFaults& delays,
                  Findings& findings) {
  const auto span = injecting_span(evidence);
  for (std::size_t i = 0; i < plan.faults.size(); ++i) {
    for (const int direction : plan.faults[i].directions) {
      FaultEffect effect;
      effect.fault = i;
      effect.direction = direction;
      effect.observed = span.last != nullptr;
      if (effect.observed) {
        effect.counters = counters_at(*span.last, i, direction);
        effect.ref = span.last->ref;
        read_line(span, effect);
        read_drops(plan, span, effect);
        if (drops(plan.faults[i]))
          witness_drops(plan, evidence, effect);
        else
          witness_latency(plan, evidence, delays.at(i), findings, effect);
      }
      findings.effects.push_back(std::move(effect));
    }
  }
}

bool matches(const brownout_match& match, const brownout_flow_key& flow, std::uint64_t seed) {
  const std::uint64_t share = brownout_share(seed, &flow);
  return brownout_in_share(&match, &flow, share) && (brownout_match_flow(&match, &flow, BROWNOUT_EGRESS, true) ||
                                                     brownout_match_flow(&match, &flow, BROWNOUT_INGRESS, true));
}

}  // namespace brownout::findings
