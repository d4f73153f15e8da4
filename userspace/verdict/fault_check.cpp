// SPDX-License-Identifier: MIT
// Was the fault what the plan says, according to the injector and to somebody else?
#include <algorithm>

#include <fmt/format.h>

#include "judging.hpp"

namespace brownout::verdict {
namespace {

constexpr double kUnplannedLoss = 0.001; // of the matched packets
constexpr double kPassedUndelayed = 0.01;
constexpr std::uint64_t kCountersApart = 3; // they are read one after the other

std::string_view kind_name(std::uint32_t kind) {
  switch (kind) {
    case BROWNOUT_FAULT_LATENCY: return "latency";
    case BROWNOUT_FAULT_LOSS: return "loss";
    case BROWNOUT_FAULT_BLACKHOLE: return "blackhole";
    default: return "fault";
  }
}

const plan::PlannedFault& fault_of(const Case& given, const findings::FaultEffect& effect) {
  return given.plan.faults[effect.fault];
}

std::string describe(const findings::Witness& witness) {
  return fmt::format("{} {}, expected {}", witness.name, number(witness.measured),
                     between(witness.expected_low, witness.expected_high));
}

// The target did make calls, only none on a flow that any fault matches: that is no lack of pressure.
bool calls_elsewhere_only(const Case& given) {
  if (given.evidence.ending != events::Ending::kNoPressure || given.evidence.counters.empty()) return false;
  const auto& trace = given.evidence.counters.back().trace;
  return trace.calls_started[1] + trace.calls_failed[1] == 0 &&
         static_cast<std::int64_t>(trace.calls_completed[0]) >=
             std::max<std::int64_t>(1, given.plan.drill.pressure.min_calls);
}

Check& judge_without_window(const Case& given, Check& check) {
  if (calls_elsewhere_only(given))
    return inconclusive(check, Reason::kFaultNotEffective,
                        fmt::format("the target completed {} calls, none on a flow that a fault matches",
                                    given.evidence.counters.back().trace.calls_completed[0]));
  const auto why = why_no_window(given);
  return inconclusive(check, why.reason, why.detail);
}

// The target did nothing at all in the window: there was nothing to match.
bool is_idle_in_window(const Case& given) {
  const auto& calls = given.calls(BROWNOUT_PHASE_INJECT);
  const events::CounterSample* before = nullptr;
  for (const auto& sample : given.evidence.counters)
    if (sample.t_mono_ns <= given.window()->start_ns) before = &sample;
  const auto* last = given.last_of_window();
  if (before == nullptr || last == nullptr || last->inject.udp_payload > 0) return false;
  const auto active = [](const events::CounterSample& sample) {
    return sample.trace.calls_started[0] + sample.trace.calls_failed[0] + sample.trace.connects[0];
  };
  return calls.started + calls.failed + calls.in_flight_at_end == 0 && active(*last) == active(*before);
}

// Where a blackhole swallows one direction nothing comes back the other way.
bool silenced_by_other_direction(const Case& given, const findings::FaultEffect& effect) {
  if (fault_of(given, effect).abi.kind != BROWNOUT_FAULT_BLACKHOLE) return false;
  return std::ranges::any_of(given.findings.effects, [&](const findings::FaultEffect& other) {
    return other.fault == effect.fault && other.direction != effect.direction &&
           static_cast<double>(other.counters.applied.packets) >= findings::kExpectedDrops;
  });
}

Check& judge_witnesses(const findings::FaultEffect& effect, Check& check, const std::string& own_words) {
  using Weight = findings::WitnessWeight;
  const auto of_weight = [&](Weight weight) {
    return std::ranges::any_of(effect.witnesses, [&](const auto& witness) { return witness.weight == weight; });
  };
  const auto decides = of_weight(Weight::kDeciding) ? Weight::kDeciding : Weight::kSupporting;
  if (!of_weight(decides))
    return inconclusive(check, Reason::kWitnessDisagrees, own_words + "; nobody outside brownout could confirm it");
  std::string words;
  for (const auto& witness : effect.witnesses) {
    if (witness.weight == decides && !witness.agrees)
      return inconclusive(check, Reason::kWitnessDisagrees, fmt::format("{}; {}", own_words, describe(witness)));
    words += fmt::format("; {}{}", describe(witness), witness.agrees ? "" : " (coarse, does not decide)");
  }
  return pass(check, own_words + words);
}

Check& judge_drops(const Case& given, const findings::FaultEffect& effect, Check& check) {
  const auto& counters = effect.counters;
  const auto decided = static_cast<double>(counters.decided.packets);
  check.measured = fmt::format("{} of {} packets", counters.decided.packets, counters.matched.packets);
  check.expected = between(effect.expected_low, effect.expected_high);
  if (silenced_by_other_direction(given, effect) && effect.expected_drops < findings::kExpectedDrops)
    return pass(check, fmt::format("{} packets came: the other direction lets nothing through to be answered",
                                   counters.matched.packets));
  if (effect.expected_drops < findings::kExpectedDrops)
    return inconclusive(check, Reason::kSampleTooSmall,
                        fmt::format("{} drops expected of {} matched packets, {} needed", number(effect.expected_drops),
                                    counters.matched.packets, number(findings::kExpectedDrops)));
  if (effect.expected_low < 1)
    return inconclusive(check, Reason::kSampleTooSmall,
                        fmt::format("none at all of {} matched packets would be no surprise: losses come in bursts",
                                    counters.matched.packets));
  const auto own_words =
      fmt::format("dropped {} of {} matched packets", counters.applied.packets, counters.matched.packets);
  if (decided < effect.expected_low)
    return inconclusive(check, Reason::kFaultNotEffective, fmt::format("{}, expected {}", own_words, check.expected));
  if (decided > effect.expected_high)
    return inconclusive(check, Reason::kFaultExceededPlan, fmt::format("{}, expected {}", own_words, check.expected));
  if (effect.dropped_in_direction + effect.capped + kCountersApart < counters.decided.packets)
    return inconclusive(
        check, Reason::kFaultNotEffective,
        fmt::format("{} were to be dropped, {} were", counters.decided.packets, effect.dropped_in_direction));
  return judge_witnesses(effect, check, own_words);
}

Check& judge_delay(const Case& given, const findings::FaultEffect& effect, Check& check) {
  const auto& counters = effect.counters;
  const auto lost = effect.overflow + effect.expired + effect.lost_in_line;
  const auto matched = static_cast<double>(counters.matched.packets);
  const auto expected = plan::expected_round_trip(given.plan).delay_ns;
  const auto shift =
      std::ranges::find(effect.witnesses, findings::WitnessWeight::kDeciding, &findings::Witness::weight);
  check.measured = shift == effect.witnesses.end() ? "-" : milliseconds(shift->measured);
  check.expected = shift == effect.witnesses.end() ? milliseconds(static_cast<double>(expected) / 1e6)
                                                   : between(shift->expected_low, shift->expected_high) + " ms";
  if (static_cast<double>(lost) > kUnplannedLoss * matched)
    return inconclusive(
        check, Reason::kFaultExceededPlan,
        fmt::format("{} of {} matched packets lost in the delay line ({} overflow, {} expired, {} at its "
                    "device)",
                    lost, counters.matched.packets, effect.overflow, effect.expired, effect.lost_in_line));
  if (counters.applied.packets == 0 || static_cast<double>(effect.redirect_failed) > kPassedUndelayed * matched)
    return inconclusive(check, Reason::kFaultNotEffective,
                        fmt::format("{} of {} matched packets were held, {} could not be", counters.applied.packets,
                                    counters.matched.packets, effect.redirect_failed));
  if (!given.findings.conservation_holds)
    return inconclusive(check, Reason::kWitnessDisagrees,
                        "the delay line's books do not close: " + given.findings.conservation_detail);
  if (std::min(effect.latency_calls_baseline, effect.latency_calls_window) < findings::kLatencySamples)
    return inconclusive(
        check, Reason::kSampleTooSmall,
        fmt::format("{} calls in the baseline and {} in the window to compare, {} needed in each",
                    effect.latency_calls_baseline, effect.latency_calls_window, findings::kLatencySamples));
  return judge_witnesses(
      effect, check, fmt::format("held {} of {} matched packets", counters.applied.packets, counters.matched.packets));
}

}  // namespace

Check judge_fault_effect(const Case& given, const findings::FaultEffect& effect) {
  const auto& fault = fault_of(given, effect);
  auto check = prerequisite(fmt::format("fault_effective: fault {} {} {}", effect.fault + 1, kind_name(fault.abi.kind),
                                        effect.direction == BROWNOUT_EGRESS ? "egress" : "ingress"));
  check.n = effect.counters.matched.packets;
  if (given.window() == nullptr) return judge_without_window(given, check);
  if (!effect.observed)
    return inconclusive(check, Reason::kFaultNotEffective, "the injector was never seen at work in the window");
  check.evidence = {effect.ref};
  if (const auto passed = effect.heartbeat_stale + effect.deadline_passed; passed > 0)
    return inconclusive(check, Reason::kFaultHalted,
                        fmt::format("{} packets passed while the beat was stale, {} after the deadline",
                                    effect.heartbeat_stale, effect.deadline_passed));
  if (effect.counters.matched.packets == 0 && !silenced_by_other_direction(given, effect))
    return inconclusive(check, is_idle_in_window(given) ? Reason::kNoPressure : Reason::kFaultNotEffective,
                        fmt::format("no packet matched in {} ({}, drill line {})",
                                    seconds(given.window()->end_ns - given.window()->start_ns), fault.label,
                                    fault.drill_line));
  return fault.abi.kind == BROWNOUT_FAULT_LATENCY ? judge_delay(given, effect, check)
                                                  : judge_drops(given, effect, check);
}

}  // namespace brownout::verdict
