// SPDX-License-Identifier: MIT
#include "brownout/plan.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>

#include "brownout/abi/match.h"
#include "brownout/text.hpp"
#include "match_abi.hpp"
#include "tables.hpp"

namespace brownout::plan {
namespace {

constexpr double kDrawRange = 4294967296.0; // 2^32: draws are 32 bits wide
constexpr std::int64_t kDrainSlackNs = 5'000'000'000;

__u64 threshold(double share) { return static_cast<__u64>(std::llround(share * kDrawRange)); }

// Only what is not the default, for people.
std::string describe_jitter(const drill::Latency& latency, const Plan& plan, __u32 distribution) {
  std::string text;
  if (latency.jitter.count() > 0) text += "±" + format_duration(latency.jitter);
  if (distribution > 0) text += " " + plan.tables[distribution - 1].name;
  if (latency.correlation > 0) text += " correlation " + format_rate(latency.correlation);
  if (latency.reorder) text += " reorder";
  return text;
}

void fill(PlannedFault& planned, const drill::Latency& latency, const drill::Drill& drill, Plan& plan) {
  planned.abi.kind = BROWNOUT_FAULT_LATENCY;
  planned.abi.delay_ns = static_cast<__u64>(latency.delay.count());
  planned.abi.jitter_ns = static_cast<__u64>(latency.jitter.count());
  planned.abi.distribution = table_number(drill, latency, plan);
  planned.abi.reuse_threshold = threshold(latency.correlation);
  planned.abi.flags = latency.reorder ? BROWNOUT_FAULT_REORDER : 0;
  planned.label =
      "latency " + format_duration(latency.delay) + describe_jitter(latency, plan, planned.abi.distribution);
}

// Neighbours fare alike, the k-th with a correlation of (1 - enter - leave)^k, and their covariances add up.
double spread_of(const drill::Bursts& bursts, double rate) {
  const double together = 1 - bursts.enter - bursts.leave;
  if (together <= 0 || rate <= 0 || rate >= 1) return 1;
  const double inside = bursts.enter / (bursts.enter + bursts.leave);
  const double apart = bursts.lost_inside - bursts.lost_between;
  return 1 + 2 * apart * apart * inside * (1 - inside) * together / (1 - together) / (rate * (1 - rate));
}

void fill(PlannedFault& planned, const drill::Loss& loss, const drill::Drill&, Plan&) {
  planned.abi.kind = BROWNOUT_FAULT_LOSS;
  planned.rate = loss.rate;
  planned.abi.drop_threshold = threshold(loss.rate);
  planned.label = "loss " + format_rate(loss.rate);
  if (!loss.bursts) return;
  const auto& bursts = *loss.bursts;
  planned.spread = spread_of(bursts, loss.rate);
  planned.abi.burst_enter = threshold(bursts.enter);
  planned.abi.burst_leave = threshold(bursts.leave);
  planned.abi.drop_threshold = threshold(bursts.lost_inside);
  planned.abi.drop_between = threshold(bursts.lost_between);
  planned.label += fmt::format(" in bursts of {:.3g}", 1 / bursts.leave);
  if (bursts.lost_inside < 1 || bursts.lost_between > 0)
    planned.label += fmt::format(" ({} inside, {} between)", format_rate(bursts.lost_inside), format_rate(bursts.lost_between));
}

void fill(PlannedFault& planned, const drill::Blackhole&, const drill::Drill&, Plan&) {
  planned.abi.kind = BROWNOUT_FAULT_BLACKHOLE;
  planned.rate = 1;
  planned.abi.drop_threshold = static_cast<__u64>(kDrawRange);
  planned.label = "blackhole";
}

Result<PlannedFault> plan_fault(const drill::Drill& drill, std::size_t index, Plan& plan) {
  const drill::Fault& fault = drill.faults[index];
  PlannedFault planned{.index = index, .directions = directions_of(fault.match.direction), .drill_line = fault.line};
  std::visit([&](const auto& what) { fill(planned, what, drill, plan); }, fault.what);
  BROWNOUT_ASSIGN(planned.abi.match, compile_match(fault.match));
  if (fault.match.connections < 1) planned.abi.match.share_threshold = static_cast<__u32>(threshold(fault.match.connections));
  planned.label += " " + describe(fault.match);
  return planned;
}

// The longest that a packet can be held: delays of all faults that may meet on it add up.
std::int64_t longest_hold_ns(const Plan& plan) {
  std::int64_t held[BROWNOUT_DIRECTIONS] = {};
  for (const auto& fault : plan.faults)
    for (const int direction : fault.directions)
      held[direction] += static_cast<std::int64_t>(longest_delay_ns(plan, fault));
  return std::ranges::max(held);
}

// The others are looked at before anything is attached: no packet knows whose it is.
__u32 allowed_in_programs(const drill::Drill& drill) {
  __u32 allowed = 0;
  if (drill.allow.contains(drill::Allowed::kDhcp)) allowed |= BROWNOUT_ALLOW_DHCP;
  if (drill.allow.contains(drill::Allowed::kMetadata)) allowed |= BROWNOUT_ALLOW_METADATA;
  return allowed;
}

bool may_hit_tcp(const PlannedFault& fault) {
  return fault.abi.match.protocol == 0 || fault.abi.match.protocol == IPPROTO_TCP;
}

// A drill that could not come to its end would be ended by its own cap.
Result<> check_duration_cap(const Plan& plan) {
  const auto& caps = plan.drill.caps;
  if (caps.max_duration.count() == 0 || plan.max_duration_ns <= caps.max_duration.count()) return {};
  return fail(ErrorCode::kInvalidDrill,
              fmt::format("caps.max_duration: {} is less than the {} that the faults may last (drill line {})",
                          format_duration(caps.max_duration),
                          format_duration(std::chrono::nanoseconds{plan.max_duration_ns}), caps.line),
              "They last phases.inject, the longest that a packet can be held, and 5 s: shorten these or raise the cap.");
}

}  // namespace

Result<Plan> compile(drill::Drill drill, std::uint64_t seed_if_unset) {
  Plan plan;
  plan.seed = drill.seed.value_or(seed_if_unset);
  plan.seed_drawn = !drill.seed.has_value();
  plan.backend = drill.backend;
  for (std::size_t i = 0; i < drill.faults.size(); ++i) {
    BROWNOUT_ASSIGN(PlannedFault planned, plan_fault(drill, i, plan));
    plan.needs_delay_line |= planned.abi.kind == BROWNOUT_FAULT_LATENCY;
    plan.faults.push_back(std::move(planned));
  }
  plan.gates = drill.gates;
  plan.allowed = allowed_in_programs(drill);
  if (drill.app && plan.gates.empty()) plan.gates.push_back({drill::ErrorCountGate{.min_increase = 1}, 0});
  plan.max_duration_ns = drill.phases.inject.count() + longest_hold_ns(plan) + kDrainSlackNs;
  plan.drill = std::move(drill);
  BROWNOUT_TRY(check_duration_cap(plan));
  return plan;
}

bool hits(const Plan& plan, const PlannedFault& fault, const brownout_flow_key& flow, Peer peer) {
  brownout_match match = fault.abi.match;
  const std::uint64_t share = brownout_share(plan.seed, &flow);
  if (peer == Peer::kAnybody) {
    std::ranges::fill(match.peer_address, 0);
    std::ranges::fill(match.peer_mask, 0);
    match.family = 0;
    match.has_ports = 0; // whoever turned the flow round has the unknown port on the other side
    match.share_threshold = 0;
  } else if (brownout_spared(&flow, plan.allowed) != 0) {
    return false;
  }
  return brownout_in_share(&match, &flow, share) && (brownout_match_flow(&match, &flow, BROWNOUT_EGRESS, true) ||
                                                     brownout_match_flow(&match, &flow, BROWNOUT_INGRESS, true));
}

bool asks_for_share(const Plan& plan) {
  return std::ranges::any_of(plan.faults, [](const auto& fault) { return fault.abi.match.share_threshold != 0; });
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
