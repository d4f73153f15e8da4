// SPDX-License-Identifier: MIT
#include <algorithm>

#include "parts.hpp"
#include "samples.hpp"

namespace brownout::findings {
namespace {

constexpr std::int64_t kBinNs = 5 * kNsPerSecond;

CallStats call_stats(const events::Evidence& evidence, const Findings& findings, std::uint32_t phase,
                     const events::Window& window) {
  CallStats stats;
  stats.seconds = static_cast<double>(window.end_ns - window.start_ns) / kNsPerSecond;
  const auto span = edges(evidence, window);
  if (span.first != nullptr) {
    stats.started = growth(span.first->trace.calls_started[kHit], span.last->trace.calls_started[kHit]);
    stats.in_flight_at_end = in_flight(*span.last);
  }
  const auto histogram = histogram_of(evidence, phase);
  stats.completed = histogram.count();
  stats.p50_ms = histogram.quantile_ms(0.5);
  stats.p95_ms = histogram.quantile_ms(0.95);
  stats.p99_ms = histogram.quantile_ms(0.99);
  stats.max_ms = histogram.quantile_ms(1);
  stats.failed = static_cast<std::uint64_t>(std::ranges::count_if(
      findings.failures, [&](const Failure& failure) { return contains(window, failure.call_start_ns); }));
  return stats;
}

// In the span that the drill asks for before the window; without a window, before the end of what was seen.
std::uint64_t pressure_completed(const plan::Plan& plan, const events::Evidence& evidence) {
  if (evidence.counters.empty()) return 0;
  const auto window = window_of(evidence, BROWNOUT_PHASE_INJECT);
  const auto end_ns = window ? window->start_ns : evidence.counters.back().t_mono_ns;
  const auto* last = window ? nearest(evidence, end_ns) : &evidence.counters.back();
  const auto* first = last_at_or_before(evidence, end_ns - plan.drill.pressure.within.count());
  // The tracer came later than the span began: everything since then was counted from zero.
  const std::uint64_t before = first != nullptr ? first->trace.calls_completed[kHit] : 0;
  return growth(before, last->trace.calls_completed[kHit]);
}

bool active(const events::Evidence& evidence, const events::Window& bin) {
  const auto span = edges(evidence, bin);
  if (span.first == nullptr) return false;
  if (growth(span.first->trace.calls_started[kHit], span.last->trace.calls_started[kHit]) > 0) return true;
  if (growth(span.first->trace.calls_failed[kHit], span.last->trace.calls_failed[kHit]) > 0) return true;
  return std::ranges::any_of(evidence.counters, [&](const events::CounterSample& sample) {
    return sample.t_mono_ns >= span.first->t_mono_ns && sample.t_mono_ns <= span.last->t_mono_ns &&
           in_flight(sample) > 0;
  });
}

double active_share(const events::Evidence& evidence, const events::Window& window) {
  int bins = 0;
  int active_bins = 0;
  for (auto start = window.start_ns; start < window.end_ns; start += kBinNs) {
    const events::Window bin{start, std::min(start + kBinNs, window.end_ns), true};
    // A rest shorter than the spacing of the samples says nothing by itself.
    if (bins > 0 && bin.end_ns - bin.start_ns < kNsPerSecond) break;
    ++bins;
    if (active(evidence, bin)) ++active_bins;
  }
  return bins == 0 ? 0 : static_cast<double>(active_bins) / bins;
}

}  // namespace

void find_calls(const plan::Plan& plan, const events::Evidence& evidence, Findings& findings) {
  for (const std::uint32_t phase : {BROWNOUT_PHASE_BASELINE, BROWNOUT_PHASE_INJECT, BROWNOUT_PHASE_RECOVERY})
    if (const auto window = window_of(evidence, phase))
      findings.calls[phase] = call_stats(evidence, findings, phase, *window);
  findings.pressure_completed = pressure_completed(plan, evidence);
  if (const auto window = window_of(evidence, BROWNOUT_PHASE_INJECT))
    findings.pressure_bins_active = active_share(evidence, *window);
}

}  // namespace brownout::findings
