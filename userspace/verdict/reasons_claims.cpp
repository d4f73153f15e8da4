// SPDX-License-Identifier: MIT
// Why a claim is what it is, where all it rests on holds. docs/verdict.md has the same table.
#include <algorithm>
#include <array>
#include <vector>

#include "reasons.hpp"

namespace brownout::verdict {
namespace {

constexpr std::array kClaimReasons{
    ReasonText{Reason::kTelemetryBlind, 40, "telemetry_blind",
               "The kernel saw calls fail because of the fault, and the app wrote down hardly any of them.",
               "Repair the app's error recording; the failures that it missed are listed as evidence. If it retries "
               "silently, say so with `app.retries`.",
               "telemetry: telemetry_blind: 0 of 31 attributable failures recorded"},
    ReasonText{Reason::kGateExceeded, 41, "gate_exceeded",
               "A value that the drill limits with max_increase grew more than that.",
               "The app did not cope; or raise the gate's `max_increase` if the drill asks too much.",
               "gate 1: error_count: gate_exceeded: grew by at least 12, 3 allowed"},
    ReasonText{Reason::kGateNotMet, 42, "gate_not_met",
               "A value that had to grow did not, although calls failed because of the fault.",
               "Repair the app's recording, or correct the gate (`min_increase`, `min`, `types`).",
               "gate 1: error_count: gate_not_met: grew by 0, at least 1 needed, 31 attributable failures"},
    ReasonText{Reason::kStopNotRecorded, 43, "stop_not_recorded",
               "The app was told to stop, and its manifest does not say so, or nobody saw its last manifest.",
               "Check that the app watches `app.stop_file` and writes status, stop_detected, stop_time and "
               "stop_reason.",
               "stop_semantics: stop_not_recorded: status is \"running\", stop_detected is missing"},
    ReasonText{Reason::kNotRecovered, 44, "not_recovered",
               "After the fault was gone, calls did not come back to the baseline's rate, latency and failures.",
               "Lengthen `phases.recovery` if the app backs off for long; else it does not recover by itself.",
               "recovered: not_recovered: 31 % of the baseline's calls per second at the end of recovery"},
    ReasonText{Reason::kFaultBelowAppTimeout, 50, "fault_below_app_timeout",
               "Calls became slower and none failed: the fault is weaker than the app's own time-out.",
               "Raise `delay` or `rate` of `faults[]` beyond what the detail names.",
               "kernel_degradation: fault_below_app_timeout: slowest call 131 ms; a delay that adds more than 130 ms"},
    ReasonText{Reason::kFailuresNotInjected, 51, "failures_not_injected",
               "Calls failed in the window, but nothing was injected on their own flows before they failed.",
               "Look at the peer: the failures have another cause. They are listed as evidence.",
               "kernel_degradation: failures_not_injected: 8 calls failed, none carries an injected drop or delay"},
    ReasonText{Reason::kNoKernelFailure, 52, "no_kernel_failure",
               "No call failed, and none was completed either, in the window.",
               "Lengthen `phases.inject` beyond the app's time-out, so that calls in flight can end.",
               "kernel_degradation: no_kernel_failure: 4 calls in flight at the end of the window"},
    ReasonText{Reason::kTimestampOffsetSuspected, 53, "timestamp_offset_suspected",
               "The app's time stamps fit the kernel's failures only when moved by whole quarter-hours.",
               "Make the app write UTC with an offset (`Z`) in ts_utc; brownout never shifts stamps by itself.",
               "telemetry: timestamp_offset_suspected: the stamps are 8 h ahead of UTC"},
    ReasonText{Reason::kTelemetryPartial, 54, "telemetry_partial",
               "The app recorded some of the failures: neither enough to pass nor few enough to fail.",
               "Find out which are missing (listed as evidence), or set `telemetry.pass` and `telemetry.fail`.",
               "telemetry: telemetry_partial: 15 of 31 attributable failures recorded"},
    ReasonText{Reason::kErrorsNotNetwork, 55, "errors_not_network",
               "What had to grow did not grow beyond the baseline's rate, or none of the errors is of the network.",
               "Look at what the app recorded; lengthen `phases.baseline` for a steadier rate to compare with.",
               "gate 1: error_count: errors_not_network: 4 new errors, none of a network kind or matched"},
    ReasonText{Reason::kCountersOnly, 59, "counters_only",
               "The app counts its errors and lists none, so that nothing says what those of the window were.",
               "Let the app write `error_events` with ts_utc and type, or gate on a counter of network errors (`counter`).",
               "gate 1: error_count: counters_only: 30 new errors by the count, no error_events in any version"},
    ReasonText{Reason::kCountersNotSampledInWindow, 56, "counters_not_sampled_in_window",
               "The versions seen of the fingerprint bound the growth too loosely to tell.",
               "Let the app write its fingerprint more often, or stamp its `error_events` with ts_utc.",
               "gate 1: error_count: counters_not_sampled_in_window: grew by 0 to 6, at least 1 needed"},
    ReasonText{Reason::kGateNotMeasurable, 57, "gate_not_measurable",
               "The fault caused fewer failures than the gate asks to see recorded.",
               "Raise `delay` or `rate` of `faults[]`, lengthen `phases.inject`, or lower the gate's minimum.",
               "gate 2: error_events: gate_not_measurable: 3 attributable failures, the gate asks for 5"},
    ReasonText{Reason::kNoClaim, 58, "no_claim",
               "Nothing was claimed, so that nothing could be proven.",
               "Give the drill an `app` or `gates`, or a window in which calls can fail.",
               "verdict: no_claim: no claim was evaluated"},
    ReasonText{Reason::kOk, 90, "ok", "The check holds.", "Nothing to do: keep the bundle.",
               "telemetry: ok: 30 of 31 attributable failures recorded"},
};

const std::vector<ReasonText>& table() {
  static const std::vector<ReasonText> all = [] {
    std::vector<ReasonText> rows(reasons_of_prerequisites().begin(), reasons_of_prerequisites().end());
    rows.insert(rows.end(), kClaimReasons.begin(), kClaimReasons.end());
    return rows;
  }();
  return all;
}

const ReasonText& row(Reason reason) {
  static constexpr ReasonText kUnknown{};
  const auto found = std::ranges::find(table(), reason, &ReasonText::reason);
  return found == table().end() ? kUnknown : *found;
}

}  // namespace

std::span<const ReasonText> reasons_of_claims() { return kClaimReasons; }

std::string_view name(Reason reason) { return row(reason).name; }
std::string_view meaning(Reason reason) { return row(reason).meaning; }
std::string_view advice(Reason reason) { return row(reason).advice; }
std::string_view example(Reason reason) { return row(reason).example; }
int rank(Reason reason) { return row(reason).rank; }

// From the enum itself, so that a reason that was added and not described shows as an empty text in the tests.
std::span<const Reason> all_reasons() {
  static const std::vector<Reason> all = [] {
    std::vector<Reason> list;
    for (int i = 0; i <= static_cast<int>(Reason::kTimestampOffsetSuspected); ++i)
      list.push_back(static_cast<Reason>(i));
    return list;
  }();
  return all;
}

}  // namespace brownout::verdict
