// SPDX-License-Identifier: MIT
#include "brownout/plan.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <netinet/in.h>

#include "brownout/text.hpp"
#include "match_abi.hpp"

namespace brownout::plan {
namespace {

constexpr double kDrawRange = 4294967296.0; // 2^32: draws are 32 bits wide
constexpr std::int64_t kDrainSlackNs = 5'000'000'000;

void fill(PlannedFault& planned, const drill::Latency& latency) {
  planned.abi.kind = BROWNOUT_FAULT_LATENCY;
  planned.abi.delay_ns = static_cast<__u64>(latency.delay.count());
  planned.abi.jitter_ns = static_cast<__u64>(latency.jitter.count());
  planned.label = "latency " + format_duration(latency.delay);
  if (latency.jitter.count() > 0) planned.label += "±" + format_duration(latency.jitter);
}

void fill(PlannedFault& planned, const drill::Loss& loss) {
  planned.abi.kind = BROWNOUT_FAULT_LOSS;
  planned.rate = loss.rate;
  planned.abi.drop_threshold = static_cast<__u64>(std::llround(loss.rate * kDrawRange));
  planned.label = "loss " + format_rate(loss.rate);
}

void fill(PlannedFault& planned, const drill::Blackhole&) {
  planned.abi.kind = BROWNOUT_FAULT_BLACKHOLE;
  planned.rate = 1;
  planned.abi.drop_threshold = static_cast<__u64>(kDrawRange);
  planned.label = "blackhole";
}

Result<PlannedFault> plan_fault(const drill::Fault& fault, std::size_t index) {
  PlannedFault planned{.index = index, .directions = directions_of(fault.match.direction), .drill_line = fault.line};
  std::visit([&](const auto& what) { fill(planned, what); }, fault.what);
  BROWNOUT_ASSIGN(planned.abi.match, compile_match(fault.match));
  planned.label += " " + describe(fault.match);
  return planned;
}

// The longest that a packet can be held: delays of all faults that may meet on it add up.
std::int64_t longest_hold_ns(const std::vector<PlannedFault>& faults) {
  std::int64_t held[BROWNOUT_DIRECTIONS] = {};
  for (const auto& fault : faults)
    for (const int direction : fault.directions)
      held[direction] += static_cast<std::int64_t>(fault.abi.delay_ns + fault.abi.jitter_ns);
  return std::ranges::max(held);
}

bool may_hit_tcp(const PlannedFault& fault) {
  return fault.abi.match.protocol == 0 || fault.abi.match.protocol == IPPROTO_TCP;
}

}  // namespace

Result<Plan> compile(drill::Drill drill, std::uint64_t seed_if_unset) {
  Plan plan;
  plan.seed = drill.seed.value_or(seed_if_unset);
  plan.seed_drawn = !drill.seed.has_value();
  for (std::size_t i = 0; i < drill.faults.size(); ++i) {
    BROWNOUT_ASSIGN(PlannedFault planned, plan_fault(drill.faults[i], i));
    plan.needs_delay_line |= planned.abi.kind == BROWNOUT_FAULT_LATENCY;
    plan.faults.push_back(std::move(planned));
  }
  plan.gates = drill.gates;
  if (drill.app && plan.gates.empty()) plan.gates.push_back({drill::ErrorCountGate{.min_increase = 1}, 0});
  plan.max_duration_ns = drill.phases.inject.count() + longest_hold_ns(plan.faults) + kDrainSlackNs;
  plan.drill = std::move(drill);
  return plan;
}

ExpectedDelay expected_round_trip(const Plan& plan) {
  ExpectedDelay expected;
  for (const auto& fault : plan.faults) {
    if (!may_hit_tcp(fault)) continue;
    const auto directions = static_cast<std::int64_t>(fault.directions.size());
    expected.delay_ns += static_cast<std::int64_t>(fault.abi.delay_ns) * directions;
    expected.jitter_ns += static_cast<std::int64_t>(fault.abi.jitter_ns) * directions;
  }
  return expected;
}

}  // namespace brownout::plan
