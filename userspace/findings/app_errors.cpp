// SPDX-License-Identifier: MIT
// The errors that the app wrote down: when each happened, and in which window its call started.
#include <algorithm>
#include <tuple>

#include "parts.hpp"
#include "samples.hpp"

namespace brownout::findings {
namespace {

// The stamp is UTC; the offset between the clocks is known at the start and the end, a straight line between them.
std::int64_t to_monotonic_ns(const events::Evidence& evidence, std::int64_t utc_ns) {
  const auto& start = evidence.clocks.front();
  const auto& end = evidence.clocks.back();
  const auto since_start = utc_ns - start.realtime_offset_ns - start.at_monotonic_ns;
  const auto elapsed = end.at_monotonic_ns - start.at_monotonic_ns;
  if (elapsed <= 0) return start.at_monotonic_ns + since_start;
  const double drift =
      static_cast<double>(end.realtime_offset_ns - start.realtime_offset_ns) / static_cast<double>(elapsed);
  if (drift < -0.5) return start.at_monotonic_ns + since_start; // no slew, and judged as a step
  return start.at_monotonic_ns + static_cast<std::int64_t>(static_cast<double>(since_start) / (1 + drift));
}

void place(const events::Window& window, std::int64_t settled_ns, AppErrorFinding& error) {
  error.in_window = error.earliest_ns >= window.start_ns && error.latest_ns < window.end_ns;
  // Its call may have started before the window ended although it was written down after.
  const bool touches = error.latest_ns >= window.start_ns && error.earliest_ns < settled_ns;
  error.maybe_in_window = !error.in_window && touches;
}

}  // namespace

void find_app_errors(const events::Evidence& evidence, Findings& findings) {
  std::int64_t previous_version_ns = 0; // when the version before was written, at the earliest
  for (const auto& snapshot : evidence.snapshots) {
    for (const auto& error : snapshot.new_errors) {
      AppErrorFinding found;
      found.error = error;
      found.error.raw = nullptr; // what is needed of it has been taken out; the snapshot has it
      found.seen_after_ns = previous_version_ns;
      found.seen_ns = snapshot.t_mono_ns;
      found.earliest_ns = found.seen_after_ns;
      found.latest_ns = found.seen_ns;
      if (error.utc_ns && !evidence.clocks.empty())
        found.earliest_ns = found.latest_ns = to_monotonic_ns(evidence, *error.utc_ns);
      found.network_kind = kind_of(error) != ErrorKind::kOther;
      findings.app_errors.push_back(std::move(found));
    }
    if (snapshot.status == events::SnapshotStatus::kRead) previous_version_ns = snapshot.previous_look_ns;
  }
  // Threads of an app append in any order; what belongs to what must not depend on it.
  std::ranges::stable_sort(findings.app_errors, {}, [](const AppErrorFinding& found) {
    const auto& error = found.error;
    return std::tie(found.earliest_ns, found.latest_ns, error.type, error.exception_type, error.url, error.where,
                    error.message);
  });
}

// By the failure that it belongs to, which knows when the call started; else by its own time.
void place_app_errors(const events::Evidence& evidence, Findings& findings) {
  const auto window = window_of(evidence, BROWNOUT_PHASE_INJECT);
  if (!window) return;
  std::int64_t settled_ns = window->end_ns;
  for (const auto& failure : findings.failures)
    if (failure.in_window) settled_ns = std::max(settled_ns, failure.t_mono_ns + kMatchReachNs);
  for (auto& error : findings.app_errors) {
    if (error.failure)
      error.in_window = findings.failures[*error.failure].in_window;
    else
      place(*window, settled_ns, error);
    if (error.in_window && (error.network_kind || error.failure)) ++findings.network_errors_in_window;
  }
}

}  // namespace brownout::findings
