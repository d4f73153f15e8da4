// SPDX-License-Identifier: MIT
#include "call_delays.hpp"

#include <algorithm>

#include "samples.hpp"

namespace brownout::findings {
namespace {

constexpr double kNsPerMs = 1e6;
constexpr double kRelative = 0.05;
constexpr double kFloorMs = 2;
constexpr std::uint32_t kOurs = BROWNOUT_EVENT_HIT | BROWNOUT_EVENT_APP;

}  // namespace

double delay_tolerance_ms(double expected_ms, double slack_ms) {
  return std::max(kRelative * expected_ms, kFloorMs) + slack_ms;
}

Expected expected_of(const plan::Plan& plan, const plan::PlannedFault& fault) {
  const auto [median_ns, mean_ns] = plan::centre_of_delay(plan, fault);
  return {.ms = (median_ns + mean_ns) / 2 / kNsPerMs, .slack_ms = std::fabs(median_ns - mean_ns) / 2 / kNsPerMs};
}

CallDelayFold::CallDelayFold(const plan::Plan& plan, const events::Evidence& evidence)
    : seed_(plan.seed), baseline_(window_of(evidence, BROWNOUT_PHASE_BASELINE)), window_(window_of(evidence, BROWNOUT_PHASE_INJECT)) {
  for (std::size_t i = 0; i < plan.faults.size(); ++i) {
    const auto& planned = plan.faults[i];
    if (planned.abi.kind != BROWNOUT_FAULT_LATENCY) continue;
    const auto [ms, slack_ms] = expected_of(plan, planned);
    const auto directions = static_cast<double>(planned.directions.size());
    auto& fault = faults_.emplace_back();
    fault.position = i;
    fault.match = planned.abi.match;
    fault.expected = {.ms = ms * directions, .slack_ms = slack_ms * directions};
  }
}

Expected CallDelayFold::expected_on(const brownout_flow_key& flow) const {
  Expected sum;
  for (const auto& fault : faults_) {
    if (!matches(fault.match, flow, seed_)) continue;
    sum.ms += fault.expected.ms;
    sum.slack_ms += fault.expected.slack_ms;
  }
  return sum;
}

Result<> CallDelayFold::take(const brownout_event& event) {
  if (!baseline_ || !window_ || (event.flags & kOurs) != kOurs) return {};
  const auto start = call_start_ns(event);
  const bool in_window = contains(*window_, start);
  const bool answered = event.kind == BROWNOUT_EVENT_CALL;
  const auto expected = expected_on(event.flow);
  if (answered) {
    least_on_any_ms_ = std::min(least_on_any_ms_, expected.ms);
    most_on_any_ms_ = std::max(most_on_any_ms_, expected.ms);
  }
  const bool held = event.held[BROWNOUT_EGRESS] + event.held[BROWNOUT_INGRESS] > 0;
  for (auto& fault : faults_) {
    if (!matches(fault.match, event.flow, seed_)) continue;
    if (answered && (in_window || contains(*baseline_, start)))
      BROWNOUT_TRY(take_call(event, in_window, expected, fault));
    if (!in_window || !held || (event.flags & BROWNOUT_EVENT_CALL_FAILED) == 0) continue;
    auto& delays = fault.delays;
    ++delays.cut_off;
    delays.longest_cut_off_ms =
        std::max(delays.longest_cut_off_ms, static_cast<double>(event.duration_ns) / kNsPerMs);
  }
  return {};
}

Result<> CallDelayFold::take_call(const brownout_event& event, bool in_window, const Expected& expected,
                                  Fault& fault) const {
  auto& delays = fault.delays;
  delays.slack_ms = std::max(delays.slack_ms, expected.slack_ms);
  delays.least_expected_ms = std::min(delays.least_expected_ms, expected.ms);
  delays.most_expected_ms = std::max(delays.most_expected_ms, expected.ms);
  const double planned = in_window ? expected.ms : 0;
  const double duration = static_cast<double>(event.duration_ns) / kNsPerMs;
  BROWNOUT_TRY((in_window ? fault.window_ms : fault.baseline_ms).add(duration - planned));
  if (event.srtt_us == 0) return {};
  const double smoothed = static_cast<double>(event.srtt_us) / 1000;
  return (in_window ? fault.window_srtt_ms : fault.baseline_srtt_ms).add(smoothed - planned);
}

Result<std::map<std::size_t, CallDelays>> CallDelayFold::finish() {
  std::map<std::size_t, CallDelays> all;
  for (auto& fault : faults_) {
    BROWNOUT_TRY(finish(fault));
    all.emplace(fault.position, fault.delays);
  }
  return all;
}

Result<> CallDelayFold::finish(Fault& fault) const {
  auto& delays = fault.delays;
  delays.baseline = fault.baseline_ms.size();
  delays.window = fault.window_ms.size();
  delays.slowest_baseline_ms = fault.baseline_ms.largest();
  delays.baseline_smoothed = fault.baseline_srtt_ms.size();
  delays.window_smoothed = fault.window_srtt_ms.size();
  BROWNOUT_ASSIGN(delays.baseline_ms, fault.baseline_ms.median());
  BROWNOUT_ASSIGN(delays.window_ms, fault.window_ms.median());
  BROWNOUT_ASSIGN(delays.baseline_srtt_ms, fault.baseline_srtt_ms.median());
  BROWNOUT_ASSIGN(delays.window_srtt_ms, fault.window_srtt_ms.median());
  if (delays.baseline_ms) {
    const double fast = *delays.baseline_ms - delay_tolerance_ms(delays.least_expected_ms, delays.slack_ms);
    BROWNOUT_ASSIGN(delays.too_fast, fault.window_ms.count_below(fast));
  }
  const auto differs = [&](double ms) { return std::fabs(ms - delays.most_expected_ms) >= 1e-6; };
  delays.uniform = least_on_any_ms_ > most_on_any_ms_ || (!differs(least_on_any_ms_) && !differs(most_on_any_ms_));
  return {};
}

}  // namespace brownout::findings
