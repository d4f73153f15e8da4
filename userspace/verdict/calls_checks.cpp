// SPDX-License-Identifier: MIT
// Was there something to degrade, and something to compare it with?
#include <algorithm>

#include <fmt/format.h>

#include "judging.hpp"

namespace brownout::verdict {
namespace {

constexpr double kActiveBins = 0.8;
constexpr double kApiCallsNeeded = 20; // below that the ratio says little
constexpr double kFailingBaseline = 0.05;
constexpr double kFailingBaselineErrors = 3;

std::uint64_t window_activity(const findings::CallStats& calls) {
  return calls.started + calls.failed + calls.in_flight_at_end;
}

// Pressure in the window: calls of the app on flows that the faults hit.
Check& judge_window_pressure(const Case& given, Check& check) {
  const auto& drill = given.plan.drill;
  const auto& found = given.findings;
  const auto& calls = given.calls(BROWNOUT_PHASE_INJECT);
  const auto* sample = given.last_of_window();
  const auto udp = sample == nullptr ? 0 : sample->inject.udp_payload;
  const bool too_few =
      drill.pressure_required &&
      found.pressure_completed < static_cast<std::uint64_t>(std::max<std::int64_t>(0, drill.pressure.min_calls));
  if ((too_few || window_activity(calls) == 0) && udp > 0)
    return inconclusive(check, Reason::kCallsUnsupported,
                        fmt::format("{} matched UDP packets with payload, and {} calls over TCP in the window", udp,
                                    calls.started));
  if (too_few)
    return inconclusive(check, Reason::kNoPressure,
                        fmt::format("{} of {} completed calls within {} before the window", found.pressure_completed,
                                    drill.pressure.min_calls, seconds(drill.pressure.within.count())));
  if (window_activity(calls) == 0)
    return inconclusive(check, Reason::kNoPressure, "no call started, failed or in flight in the window");
  if (found.pressure_bins_active < kActiveBins)
    return inconclusive(check, Reason::kPressureNotSustained,
                        fmt::format("calls in {} of the window's 5 s bins, {} needed",
                                    share(found.pressure_bins_active), share(kActiveBins)));
  if (found.calls_per_api_call && found.api_calls_growth >= kApiCallsNeeded &&
      (*found.calls_per_api_call < 0.5 || *found.calls_per_api_call > 2))
    return inconclusive(check, Reason::kCallsUnreliable,
                        fmt::format("{} kernel calls for each of {} api_calls, 0.5 to 2 allowed",
                                    number(*found.calls_per_api_call), number(found.api_calls_growth)));
  return pass(check, fmt::format("{} completed calls before the window, {} started in it, calls in {} of its 5 s bins",
                                 found.pressure_completed, calls.started, share(found.pressure_bins_active)));
}

}  // namespace

Check judge_pressure(const Case& given) {
  const auto& pressure = given.plan.drill.pressure;
  auto check = prerequisite("pressure");
  check.n = given.findings.pressure_completed;
  check.measured = fmt::format("{} calls", given.findings.pressure_completed);
  check.expected = given.plan.drill.pressure_required
                       ? fmt::format("{} within {}", pressure.min_calls, seconds(pressure.within.count()))
                       : "any in the window";
  if (given.window() != nullptr) {
    check.evidence = given.findings.counter_refs;
    return judge_window_pressure(given, check);
  }
  auto why = why_no_window(given);
  if (why.reason == Reason::kNoPressure)
    why.detail = fmt::format("{} of {} completed calls within {}", given.findings.pressure_completed,
                             pressure.min_calls, seconds(pressure.within.count()));
  return inconclusive(check, why.reason, why.detail);
}

Check judge_baseline(const Case& given) {
  auto check = prerequisite("baseline");
  const auto& calls = given.calls(BROWNOUT_PHASE_BASELINE);
  const auto needed = static_cast<std::uint64_t>(std::clamp<std::int64_t>(
      given.plan.drill.pressure.min_calls, 5, static_cast<std::int64_t>(findings::kLatencySamples)));
  const auto ended = calls.completed + calls.failed;
  check.n = calls.completed;
  check.measured = fmt::format("{} completed, {} failed", calls.completed, calls.failed);
  check.expected = fmt::format("{} or more, at most {} failed", needed, share(kFailingBaseline));
  const auto found = given.evidence.windows.find(BROWNOUT_PHASE_BASELINE);
  const bool complete = found != given.evidence.windows.end() && found->second.complete;
  if (!complete && given.window() == nullptr) {
    const auto why = why_no_window(given);
    return inconclusive(check, why.reason, why.detail);
  }
  if (!complete) return inconclusive(check, Reason::kBaselineTooSmall, "the baseline was not completed");
  const double errors = given.findings.error_count.baseline_per_second * calls.seconds;
  if (calls.failed > 0 && static_cast<double>(calls.failed) > kFailingBaseline * static_cast<double>(ended))
    return inconclusive(check, Reason::kBaselineAlreadyFailing,
                        fmt::format("{} of {} calls failed before the injection", calls.failed, ended));
  if (calls.completed < needed)
    return inconclusive(check, Reason::kBaselineTooSmall,
                        fmt::format("{} completed calls in {} s, {} needed", calls.completed, number(calls.seconds),
                                    needed));
  if (errors >= kFailingBaselineErrors && errors > kFailingBaseline * static_cast<double>(ended))
    return inconclusive(
        check, Reason::kBaselineAlreadyFailing,
        fmt::format("the app recorded {} errors in {} calls before the injection", number(errors), ended));
  return pass(check, fmt::format("{} completed calls in {} s, median {}", calls.completed, number(calls.seconds),
                                 milliseconds(calls.p50_ms)));
}

}  // namespace brownout::verdict
