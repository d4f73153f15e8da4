// SPDX-License-Identifier: MIT
#include <algorithm>

#include "parts.hpp"
#include "samples.hpp"

namespace brownout::findings {
namespace {

constexpr double kRate = 0.8;      // of the baseline's completed calls per second
constexpr double kP95 = 1.2;       // of the baseline's p95
constexpr double kP95FloorMs = 2;  // calls far below a millisecond vary by more than that
constexpr double kSeconds = 2;
constexpr std::uint64_t kCalls = 10;

struct Rest { // of recovery, from one sample to its end
  double seconds = 0;
  std::uint64_t completed = 0, failures = 0;
  double rate_ratio = 0, p95_ratio = 0;
  bool measurable = false, recovered = false;
};

Rest judge_rest(const events::Evidence& evidence, const Findings& findings, std::int64_t from_ns,
                std::int64_t until_ns) {
  const auto& baseline = findings.calls.at(BROWNOUT_PHASE_BASELINE);
  Rest rest;
  rest.seconds = static_cast<double>(until_ns - from_ns) / kNsPerSecond;
  const auto histogram = histogram_of(evidence, BROWNOUT_PHASE_RECOVERY, from_ns, until_ns);
  rest.completed = histogram.count();
  rest.failures = static_cast<std::uint64_t>(std::ranges::count_if(findings.failures, [&](const Failure& failure) {
    return failure.call_start_ns >= from_ns && failure.call_start_ns < until_ns;
  }));
  rest.measurable = rest.seconds >= kSeconds && rest.completed >= kCalls;
  if (!rest.measurable || baseline.completed_per_second() <= 0 || !baseline.p95_ms) return rest;
  const double p95 = *histogram.quantile_ms(0.95);
  rest.rate_ratio = static_cast<double>(rest.completed) / rest.seconds / baseline.completed_per_second();
  rest.p95_ratio = p95 / std::max(*baseline.p95_ms, 1e-3);
  rest.recovered = rest.rate_ratio >= kRate &&
                   p95 <= std::max(kP95 * *baseline.p95_ms, *baseline.p95_ms + kP95FloorMs) &&
                   static_cast<double>(rest.failures) / rest.seconds <= baseline.failed_per_second();
  return rest;
}

void keep(const Rest& rest, Findings& findings) {
  findings.recovery_rate_ratio = rest.rate_ratio;
  findings.recovery_p95_ratio = rest.p95_ratio;
  findings.recovery_failures = rest.failures;
}

}  // namespace

void find_recovery(const events::Evidence& evidence, Findings& findings) {
  const auto recovery = window_of(evidence, BROWNOUT_PHASE_RECOVERY);
  if (!recovery || !findings.calls.contains(BROWNOUT_PHASE_BASELINE)) return;
  const auto* first = nearest(evidence, recovery->start_ns);
  const auto* last = nearest(evidence, recovery->end_ns);
  if (first == nullptr || last == first) return;
  const double seconds = static_cast<double>(last->t_mono_ns - first->t_mono_ns) / kNsPerSecond;
  const double expected = kRate * findings.calls.at(BROWNOUT_PHASE_BASELINE).completed_per_second() * seconds;
  findings.recovery_measurable = seconds >= kSeconds && expected >= static_cast<double>(kCalls);
  for (const auto& sample : evidence.counters) {
    if (sample.t_mono_ns < first->t_mono_ns || sample.t_mono_ns >= last->t_mono_ns) continue;
    const auto rest = judge_rest(evidence, findings, sample.t_mono_ns, last->t_mono_ns);
    if (rest.measurable) keep(rest, findings);
    if (!rest.recovered) continue;
    findings.recovered_after_s =
        static_cast<double>(std::max<std::int64_t>(0, sample.t_mono_ns - recovery->start_ns)) / kNsPerSecond;
    return;
  }
}

}  // namespace brownout::findings
