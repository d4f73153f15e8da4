// SPDX-License-Identifier: MIT
// Delay, seen by somebody else: how much longer the kernel's own call latency and smoothed round trip became.
#include <algorithm>
#include <cmath>

#include "parts.hpp"
#include "samples.hpp"

namespace brownout::findings {
namespace {

constexpr double kNsPerMs = 1e6;
constexpr double kRelative = 0.05;
constexpr double kFloorMs = 2;
// The smoothed round trip follows slowly, and counts the peer's delayed acknowledgements.
constexpr double kSmoothedRelative = 0.2;
constexpr double kSmoothedFloorMs = 5;

// The median of what a skewed distribution adds lies between its median and its mean, nearer to the mean the more
// delays are added up: the middle, and how far it may be off.
struct Expected { double ms = 0, slack_ms = 0; };

Expected expected_of(const plan::Plan& plan, const plan::PlannedFault& fault) {
  const auto [median_ns, mean_ns] = plan::centre_of_delay(plan, fault);
  return {.ms = (median_ns + mean_ns) / 2 / kNsPerMs, .slack_ms = std::fabs(median_ns - mean_ns) / 2 / kNsPerMs};
}

Expected expected_on(const plan::Plan& plan, const brownout_flow_key& flow) {
  Expected sum;
  for (const auto& fault : plan.faults) {
    if (fault.abi.kind != BROWNOUT_FAULT_LATENCY || !matches(fault.abi.match, flow)) continue;
    const auto [ms, slack_ms] = expected_of(plan, fault);
    sum.ms += ms * static_cast<double>(fault.directions.size());
    sum.slack_ms += slack_ms * static_cast<double>(fault.directions.size());
  }
  return sum;
}

// Calls on flows that this fault matches. Where different faults delay different flows, each call of the window is
// put back by what its own flow was to be delayed, so that one median can be compared.
struct Calls {
  std::vector<double> baseline_ms, window_ms;         // the window's: what is over the planned delay
  std::vector<double> baseline_srtt_ms, window_srtt_ms;
  std::uint64_t cut_off = 0;      // calls of the window that ended without an answer while held
  std::uint64_t completed = 0;    // of the window, held
  double longest_cut_off_ms = 0;
  double least_expected_ms = HUGE_VAL, most_expected_ms = 0;
  double slack_ms = 0; // the largest
  double order_ms = 0; // of both directions
};

void take(const plan::Plan& plan, const brownout_event& event, bool in_window, Calls& calls) {
  const auto [expected, slack] = expected_on(plan, event.flow);
  calls.slack_ms = std::max(calls.slack_ms, slack);
  calls.least_expected_ms = std::min(calls.least_expected_ms, expected);
  calls.most_expected_ms = std::max(calls.most_expected_ms, expected);
  const double duration = static_cast<double>(event.duration_ns) / kNsPerMs;
  const double srtt = static_cast<double>(event.srtt_us) / 1000;
  if (in_window) {
    calls.window_ms.push_back(duration - expected);
    if (event.srtt_us != 0) calls.window_srtt_ms.push_back(srtt - expected);
    ++calls.completed;
  } else {
    calls.baseline_ms.push_back(duration);
    if (event.srtt_us != 0) calls.baseline_srtt_ms.push_back(srtt);
  }
}

Calls collect(const plan::Plan& plan, const events::Evidence& evidence, const brownout_match& match) {
  const auto baseline = window_of(evidence, BROWNOUT_PHASE_BASELINE);
  const auto window = window_of(evidence, BROWNOUT_PHASE_INJECT);
  Calls calls;
  if (!baseline || !window) return calls;
  constexpr std::uint32_t kOurs = BROWNOUT_EVENT_HIT | BROWNOUT_EVENT_APP;
  for (const auto& [event, ref] : evidence.kernel_events) {
    if ((event.flags & kOurs) != kOurs || !matches(match, event.flow)) continue;
    const auto start = call_start_ns(event);
    const bool in_window = contains(*window, start);
    if (event.kind == BROWNOUT_EVENT_CALL && (in_window || contains(*baseline, start)))
      take(plan, event, in_window, calls);
    const bool held = event.held[BROWNOUT_EGRESS] + event.held[BROWNOUT_INGRESS] > 0;
    if (in_window && held && (event.flags & BROWNOUT_EVENT_CALL_FAILED) != 0) {
      ++calls.cut_off;
      calls.longest_cut_off_ms =
          std::max(calls.longest_cut_off_ms, static_cast<double>(event.duration_ns) / kNsPerMs);
    }
  }
  return calls;
}

// Do all calls that the plan hits wait for the same delay? Then the histogram, which has every call, tells more than
// the events, which are kept within a budget.
bool uniform(const plan::Plan& plan, const events::Evidence& evidence, double expected) {
  constexpr std::uint32_t kOurs = BROWNOUT_EVENT_HIT | BROWNOUT_EVENT_APP;
  return std::ranges::all_of(evidence.kernel_events, [&](const events::KernelEvent& event) {
    return event.raw.kind != BROWNOUT_EVENT_CALL || (event.raw.flags & kOurs) != kOurs ||
           std::fabs(expected_on(plan, event.raw.flow).ms - expected) < 1e-6;
  });
}

// What keeping flows in order added, on top of the plan and by design; it can only make a delay longer.
double order_ms(const Span& span, int direction) {
  return static_cast<double>(span.last->delays[static_cast<std::size_t>(direction)].order_p50_us) / 1000;
}

Witness shift(std::string name, double measured, double expected, double tolerance, double added_by_order,
              WitnessWeight weight, std::uint64_t n) {
  const double low = expected - tolerance, high = expected + tolerance + added_by_order;
  return {.name = std::move(name), .measured = measured, .expected_low = low, .expected_high = high,
          .agrees = measured >= low && measured <= high, .weight = weight, .n = n};
}

void witness_median(const Findings& findings, const Calls& calls, bool from_histogram, FaultEffect& effect) {
  const double expected = calls.most_expected_ms;
  const double tolerance = std::max(kRelative * expected, kFloorMs) + calls.slack_ms;
  auto before = median(calls.baseline_ms);
  auto over = median(calls.window_ms);
  effect.latency_calls_baseline = calls.baseline_ms.size();
  effect.latency_calls_window = calls.window_ms.size();
  if (from_histogram) {
    const auto& baseline = findings.calls.at(BROWNOUT_PHASE_BASELINE);
    const auto& window = findings.calls.at(BROWNOUT_PHASE_INJECT);
    effect.latency_calls_baseline = baseline.completed;
    effect.latency_calls_window = window.completed;
    before = baseline.p50_ms;
    over = window.p50_ms ? std::optional(*window.p50_ms - expected) : std::nullopt;
  }
  const auto n = std::min(effect.latency_calls_baseline, effect.latency_calls_window);
  if (n < kLatencySamples || !before || !over) return;
  effect.witnesses.push_back(shift("kernel call latency, median shift in ms", *over + expected - *before, expected,
                                   tolerance, calls.order_ms, WitnessWeight::kDeciding, n));
}

// The app gives up before most answers can come: no median to compare. Then the few answers that did come must not
// have been faster than planned, and calls must have been held without an answer for longer than ever in the baseline.
void witness_cut_off(const Calls& calls, FaultEffect& effect) {
  effect.latency_calls_baseline = calls.baseline_ms.size();
  effect.latency_calls_window = calls.completed + calls.cut_off;
  if (std::min(effect.latency_calls_baseline, effect.latency_calls_window) < kLatencySamples) return;
  const double before = *median(calls.baseline_ms);
  const double tolerance = std::max(kRelative * calls.least_expected_ms, kFloorMs) + calls.slack_ms;
  const auto too_fast = std::ranges::count_if(calls.window_ms, [&](double over) { return over < before - tolerance; });
  const double slowest_before = std::ranges::max(calls.baseline_ms);
  Witness witness{.name = "kernel call latency, cut off by the app, in ms", .measured = calls.longest_cut_off_ms,
                  .expected_low = std::min(slowest_before, calls.least_expected_ms), .expected_high = HUGE_VAL,
                  .n = std::min(effect.latency_calls_baseline, effect.latency_calls_window)};
  witness.agrees = witness.measured > witness.expected_low &&
                   static_cast<double>(too_fast) <= kRelative * static_cast<double>(effect.latency_calls_window);
  effect.witnesses.push_back(witness);
}

void witness_smoothed(const Calls& calls, FaultEffect& effect) {
  const auto n = std::min(calls.baseline_srtt_ms.size(), calls.window_srtt_ms.size());
  if (n < kLatencySamples) return;
  const double expected = calls.most_expected_ms;
  const double measured = *median(calls.window_srtt_ms) + expected - *median(calls.baseline_srtt_ms);
  effect.witnesses.push_back(shift("TCP smoothed round trip, median shift in ms", measured, expected,
                                   std::max(kSmoothedRelative * expected, kSmoothedFloorMs) + calls.slack_ms,
                                   calls.order_ms, WitnessWeight::kSupporting, n));
}

// Only where all latency of this direction is of one fault is there one delay to compare with.
void witness_own(const plan::Plan& plan, const Span& span, FaultEffect& effect) {
  const auto& fault = plan.faults[effect.fault];
  const auto others = std::ranges::count_if(plan.faults, [&](const plan::PlannedFault& other) {
    return other.abi.kind == BROWNOUT_FAULT_LATENCY && std::ranges::count(other.directions, effect.direction) > 0;
  });
  const auto hold_us = span.last->line[static_cast<std::size_t>(effect.direction)].hold_p50_us;
  if (others != 1 || hold_us == 0) return;
  const auto [expected, slack] = expected_of(plan, fault);
  effect.witnesses.push_back(shift("delay line, median hold in ms", static_cast<double>(hold_us) / 1000, expected,
                                   std::max(kRelative * expected, kFloorMs) + slack, order_ms(span, effect.direction),
                                   WitnessWeight::kOwn, 0));
}

}  // namespace

void witness_latency(const plan::Plan& plan, const events::Evidence& evidence, const Findings& findings,
                     FaultEffect& effect) {
  const auto span = injecting_span(evidence);
  auto calls = collect(plan, evidence, plan.faults[effect.fault].abi.match);
  calls.order_ms = order_ms(span, BROWNOUT_EGRESS) + order_ms(span, BROWNOUT_INGRESS);
  if (!findings.calls.contains(BROWNOUT_PHASE_BASELINE) || !findings.calls.contains(BROWNOUT_PHASE_INJECT)) return;
  if (!calls.baseline_ms.empty()) {
    const bool one_delay = calls.most_expected_ms - calls.least_expected_ms < 1e-6;
    const bool from_histogram = one_delay && uniform(plan, evidence, calls.most_expected_ms);
    const auto completed =
        from_histogram ? findings.calls.at(BROWNOUT_PHASE_INJECT).completed : calls.completed;
    if (calls.cut_off > completed)
      witness_cut_off(calls, effect);
    else
      witness_median(findings, calls, from_histogram, effect);
    witness_smoothed(calls, effect);
  }
  witness_own(plan, span, effect);
}

}  // namespace brownout::findings
