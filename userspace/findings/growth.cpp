// SPDX-License-Identifier: MIT
// How much the app's own counters grew because of the window, and how much of what failed it wrote down.
#include <algorithm>
#include <tuple>
#include <variant>

#include "fingerprint.hpp"
#include "parts.hpp"
#include "samples.hpp"

namespace brownout::findings {
namespace {

constexpr auto kErrorCount = "/error_count";

// Does every count have its event? Then the events, which have a time each, say exactly what belongs to the window.
bool events_are_complete(const events::Evidence& evidence, const Findings& findings, const events::Window& window) {
  const auto last = last_value(evidence, kErrorCount, INT64_MAX);
  if (!last) return false;
  if (static_cast<double>(findings.app_errors.size()) == *last) return true;
  // A list that keeps the latest only may still have all since the version that the window began with.
  const auto before = last_value(evidence, kErrorCount, window.start_ns);
  const auto since = static_cast<double>(std::ranges::count_if(
      findings.app_errors, [&](const AppErrorFinding& error) { return error.seen_ns > window.start_ns; }));
  return before && since == *last - *before;
}

double errors_within(const Findings& findings, const events::Window& window) {
  return static_cast<double>(std::ranges::count_if(findings.app_errors, [&](const AppErrorFinding& error) {
    return !error.in_window && error.earliest_ns >= window.start_ns && error.latest_ns < window.end_ns;
  }));
}

void refine_by_events(const events::Evidence& evidence, Findings& findings) {
  auto& growth = findings.error_count;
  if (!growth.lower) return;
  const auto certain = static_cast<double>(
      std::ranges::count(findings.app_errors, true, &AppErrorFinding::in_window));
  const auto possible = static_cast<double>(
      std::ranges::count(findings.app_errors, true, &AppErrorFinding::maybe_in_window));
  const auto window = window_of(evidence, BROWNOUT_PHASE_INJECT);
  if (!events_are_complete(evidence, findings, *window)) {
    // Calls in flight when the window began may fail in it without belonging to it.
    const auto* start = nearest(evidence, window->start_ns);
    const double under_way = start == nullptr ? 0 : static_cast<double>(in_flight(*start));
    growth.lower = std::min(*growth.upper, std::max(certain, *growth.lower - under_way));
    return;
  }
  growth.lower = certain;
  growth.upper = certain + possible;
  if (const auto baseline = window_of(evidence, BROWNOUT_PHASE_BASELINE))
    growth.baseline_per_second = errors_within(findings, *baseline) * kNsPerSecond /
                                 static_cast<double>(baseline->end_ns - baseline->start_ns);
}

void find_calls_per_api_call(const events::Evidence& evidence, Findings& findings) {
  const auto baseline = window_of(evidence, BROWNOUT_PHASE_BASELINE);
  const auto window = window_of(evidence, BROWNOUT_PHASE_INJECT);
  if (!baseline || !window) return;
  const auto before = value_at(evidence, "/api_calls", baseline->start_ns).low;
  const auto after = value_at(evidence, "/api_calls", window->end_ns).low;
  const auto span = edges(evidence, {baseline->start_ns, window->end_ns, true});
  if (!before || !after || span.first == nullptr) return;
  findings.api_calls_growth = std::max(0.0, *after - *before);
  if (findings.api_calls_growth <= 0) return;
  // Failed connects never started as calls, but the app counts them as made.
  const auto& from = span.first->trace;
  const auto& to = span.last->trace;
  const auto ended = growth(from.calls_completed[kHit] + from.calls_failed[kHit],
                            to.calls_completed[kHit] + to.calls_failed[kHit]);
  const auto started = growth(from.calls_started[kHit], to.calls_started[kHit]);
  findings.calls_per_api_call = static_cast<double>(std::max(ended, started)) / findings.api_calls_growth;
}

void find_gate_values(const plan::Plan& plan, const events::Evidence& evidence, Findings& findings) {
  const auto window = window_of(evidence, BROWNOUT_PHASE_INJECT);
  for (const auto& gate : plan.gates) {
    if (const auto* counter = std::get_if<drill::CounterGate>(&gate.what))
      findings.counters[counter->pointer] = window_growth(evidence, counter->pointer);
    const auto* latency = std::get_if<drill::LatencyGate>(&gate.what);
    if (latency == nullptr || !window) continue;
    const auto pointer = "/latency_stats_ms/" + latency->field;
    // A version from before the window says nothing of the window.
    const bool seen = std::ranges::any_of(evidence.snapshots, [&](const events::Snapshot& snapshot) {
      return snapshot.t_mono_ns > window->start_ns && snapshot.t_mono_ns <= window->end_ns &&
             number_at(snapshot, pointer).has_value();
    });
    findings.latency_fields[latency->field] = {
        last_value(evidence, pointer, window->start_ns),
        seen ? last_value(evidence, pointer, window->end_ns) : std::nullopt};
  }
}

// As much as the baseline's rate may bring in the window, but for one drill in a hundred.
double usual_growth(const events::Evidence& evidence, const Findings& findings) {
  const auto window = window_of(evidence, BROWNOUT_PHASE_INJECT);
  if (!window) return 0;
  const double usual = findings.error_count.baseline_per_second *
                       static_cast<double>(window->end_ns - window->start_ns) / kNsPerSecond;
  return static_cast<double>(poisson_most(usual, 0.01));
}

// With `retries: N` the app writes an error down for N + 1 failures in a row towards one peer.
std::uint64_t recordable(const plan::Plan& plan, const Findings& findings) {
  const auto retries = static_cast<std::uint64_t>(std::max<std::int64_t>(0, plan.drill.app->retries));
  if (retries == 0) return findings.failures_attributable;
  std::map<std::tuple<std::uint32_t, std::vector<std::uint8_t>, std::uint16_t>, std::uint64_t> by_peer;
  for (const auto& failure : findings.failures) {
    if (!failure.in_window || !failure.injected) continue;
    const auto& event = failure.event;
    const std::vector<std::uint8_t> address(std::begin(event.flow.peer_address), std::end(event.flow.peer_address));
    ++by_peer[{event.pid, address, event.flow.peer_port}];
  }
  std::uint64_t folded = 0;
  for (const auto& [peer, count] : by_peer) folded += count / (retries + 1);
  return folded;
}

}  // namespace

void find_growth(const plan::Plan& plan, const events::Evidence& evidence, Findings& findings) {
  findings.error_count = window_growth(evidence, kErrorCount);
  refine_by_events(evidence, findings);
  find_gate_values(plan, evidence, findings);
  find_calls_per_api_call(evidence, findings);
}

void find_coverage(const plan::Plan& plan, const events::Evidence& evidence, Findings& findings) {
  findings.failures_recorded =
      static_cast<std::uint64_t>(std::ranges::count_if(findings.failures, [](const Failure& failure) {
        return failure.in_window && failure.injected && failure.app_error;
      }));
  findings.failures_recordable = recordable(plan, findings);
  const auto all = static_cast<double>(findings.failures_recordable);
  const auto matched = static_cast<double>(findings.failures_recorded);
  findings.recorded_lower = std::min(all, matched);
  findings.recorded_upper = std::min(all, std::max(matched, findings.error_count.upper.value_or(0)));
  // An app that keeps a count but no list: the count is all there is to go by, less what it would have grown anyway.
  if (findings.app_errors.empty())
    findings.recorded_lower =
        std::clamp(findings.error_count.lower.value_or(0) - usual_growth(evidence, findings), 0.0, all);
}

}  // namespace brownout::findings
