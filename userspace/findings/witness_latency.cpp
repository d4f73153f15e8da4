// SPDX-License-Identifier: MIT
// Delay, seen by somebody else: how much longer the kernel's own call latency and smoothed round trip became.
#include <algorithm>
#include <cmath>

#include "call_delays.hpp"
#include "parts.hpp"
#include "samples.hpp"

namespace brownout::findings {
namespace {

constexpr double kTooFast = 0.05; // of the calls
// The smoothed round trip follows slowly, and counts the peer's delayed acknowledgements.
constexpr double kSmoothedRelative = 0.2;
constexpr double kSmoothedFloorMs = 5;

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

void witness_median(const Findings& findings, const CallDelays& calls, bool from_histogram, double added_by_order,
                    FaultEffect& effect) {
  const double expected = calls.most_expected_ms;
  const double tolerance = delay_tolerance_ms(expected, calls.slack_ms);
  auto before = calls.baseline_ms;
  auto over = calls.window_ms;
  effect.latency_calls_baseline = calls.baseline;
  effect.latency_calls_window = calls.window;
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
                                   tolerance, added_by_order, WitnessWeight::kDeciding, n));
}

// The app gives up before most answers can come: no median to compare. Then the few answers that did come must not
// have been faster than planned, and calls must have been held without an answer for longer than ever in the baseline.
void witness_cut_off(const CallDelays& calls, FaultEffect& effect) {
  effect.latency_calls_baseline = calls.baseline;
  effect.latency_calls_window = calls.window + calls.cut_off;
  if (std::min(effect.latency_calls_baseline, effect.latency_calls_window) < kLatencySamples) return;
  Witness witness{.name = "kernel call latency, cut off by the app, in ms", .measured = calls.longest_cut_off_ms,
                  .expected_low = std::min(calls.slowest_baseline_ms, calls.least_expected_ms), .expected_high = HUGE_VAL,
                  .n = std::min(effect.latency_calls_baseline, effect.latency_calls_window)};
  witness.agrees = witness.measured > witness.expected_low &&
                   static_cast<double>(calls.too_fast) <= kTooFast * static_cast<double>(effect.latency_calls_window);
  effect.witnesses.push_back(witness);
}

void witness_smoothed(const CallDelays& calls, double added_by_order, FaultEffect& effect) {
  const auto n = std::min(calls.baseline_smoothed, calls.window_smoothed);
  if (n < kLatencySamples) return;
  const double expected = calls.most_expected_ms;
  const double measured = *calls.window_srtt_ms + expected - *calls.baseline_srtt_ms;
  effect.witnesses.push_back(shift("TCP smoothed round trip, median shift in ms", measured, expected,
                                   std::max(kSmoothedRelative * expected, kSmoothedFloorMs) + calls.slack_ms,
                                   added_by_order, WitnessWeight::kSupporting, n));
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
                                   delay_tolerance_ms(expected, slack), order_ms(span, effect.direction),
                                   WitnessWeight::kOwn, 0));
}

}  // namespace

void witness_latency(const plan::Plan& plan, const events::Evidence& evidence, const CallDelays& calls,
                     const Findings& findings, FaultEffect& effect) {
  const auto span = injecting_span(evidence);
  const double added_by_order = order_ms(span, BROWNOUT_EGRESS) + order_ms(span, BROWNOUT_INGRESS);
  if (!findings.calls.contains(BROWNOUT_PHASE_BASELINE) || !findings.calls.contains(BROWNOUT_PHASE_INJECT)) return;
  if (calls.baseline > 0) {
    const bool one_delay = calls.most_expected_ms - calls.least_expected_ms < 1e-6;
    const bool from_histogram = one_delay && calls.uniform;
    const auto completed = from_histogram ? findings.calls.at(BROWNOUT_PHASE_INJECT).completed : calls.window;
    if (calls.cut_off > completed)
      witness_cut_off(calls, effect);
    else
      witness_median(findings, calls, from_histogram, added_by_order, effect);
    witness_smoothed(calls, added_by_order, effect);
  }
  witness_own(plan, span, effect);
}

}  // namespace brownout::findings
