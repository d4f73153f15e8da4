// SPDX-License-Identifier: MIT
// kernel_degradation, telemetry, recovered, stop_semantics.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "judging.hpp"

#include "brownout/clock.hpp"

namespace brownout::verdict {
namespace {

constexpr std::size_t kRefs = 1000; // of one check; `n` says how many there are
constexpr double kFirstRetransmitMs = 200; // TCP_RTO_MIN
constexpr double kFailuresWanted = 5;

template <typename Wanted>
std::vector<events::Ref> refs_of(const findings::Findings& findings, const Wanted& wanted) {
  std::vector<events::Ref> refs;
  for (const auto& failure : findings.failures)
    if (failure.in_window && wanted(failure) && refs.size() < kRefs) refs.push_back(failure.ref);
  return refs;
}

// The rate at which as many packets of a call are lost in a row as it takes to outlast `slowest_ms`.
double sufficient_loss(double slowest_ms, double round_trip_ms, double calls) {
  double timer = kFirstRetransmitMs + round_trip_ms;
  double waited = timer;
  int in_a_row = 1;
  for (; waited <= slowest_ms; ++in_a_row) waited += timer *= 2;
  return std::pow(std::min(1.0, kFailuresWanted / std::max(calls, kFailuresWanted)), 1.0 / in_a_row);
}

std::string below_timeout(const Case& given) {
  const auto& window = given.calls(BROWNOUT_PHASE_INJECT);
  const auto& baseline = given.calls(BROWNOUT_PHASE_BASELINE);
  const double slowest = window.max_ms.value_or(0);
  const double usual = baseline.p50_ms.value_or(0);
  const double planned = static_cast<double>(plan::expected_round_trip(given.plan).delay_ns) / 1e6;
  // What was lost already did not suffice, whatever the estimate says.
  double loss = 0;
  for (const auto& fault : given.plan.faults) loss = std::max(loss, fault.rate);
  const double wanted = sufficient_loss(slowest, window.p50_ms.value_or(0), static_cast<double>(window.completed));
  return fmt::format(
      "none of {} calls failed; the slowest took {} (p99 {}), so the app waits longer than that: it takes a delay that "
      "adds more than {} to the round trip (now {}), or a loss above {} (now {})",
      window.completed, milliseconds(window.max_ms), milliseconds(window.p99_ms),
      milliseconds(std::max(0.0, slowest - usual)), milliseconds(planned), share(std::max(loss, wanted)), share(loss));
}

nlohmann::json last_app_manifest(const events::Evidence& evidence) {
  nlohmann::json manifest;
  for (const auto& entry : evidence.timeline)
    if (entry.kind == "app_manifest" && entry.fields.is_object() && entry.fields.value("when", "end") == "end")
      manifest = entry.fields.contains("manifest") ? entry.fields.at("manifest") : entry.fields;
  return manifest;
}

std::vector<std::string> stop_problems(const nlohmann::json& manifest) {
  std::vector<std::string> problems;
  const auto text = [&](const char* key) {
    const auto found = manifest.find(key);
    return found == manifest.end() ? std::string("missing") : found->dump();
  };
  if (text("status") != "\"interrupted\"") problems.push_back("status is " + text("status"));
  if (text("stop_detected") != "true") problems.push_back("stop_detected is " + text("stop_detected"));
  const auto time = manifest.find("stop_time");
  if (time == manifest.end() || !time->is_string() || !parse_utc(time->get<std::string>()))
    problems.push_back("stop_time is " + text("stop_time"));
  const auto why = manifest.find("stop_reason");
  if (why == manifest.end() || !why->is_string() || why->get<std::string>().empty())
    problems.push_back("stop_reason is " + text("stop_reason"));
  return problems;
}

// None: the fault did make calls fail, and what fails later may be its doing.
std::uint64_t failures_of_another_cause(const findings::Findings& found) {
  if (found.failures_attributable > 0) return 0;
  return found.failures_in_window + found.failures_elsewhere.size() + found.failures_recovery;
}

// How the app's stamps were read: never silently.
std::string stamps_taken_as(const findings::Findings& found) {
  if (!found.record_delay) return {};
  const auto& [delay, slack, pairs] = *found.record_delay;
  return fmt::format("; its stamps are taken as {} {}, give or take {}", seconds(std::llabs(delay)),
                     delay < 0 ? "early" : "late", seconds(slack));
}

}  // namespace

Why why_nothing_to_record(const Case& given) {
  const auto& found = given.findings;
  const auto& window = given.calls(BROWNOUT_PHASE_INJECT);
  if (const auto failed = found.failures_in_window + found.failures_elsewhere.size(); failed > 0)
    return {Reason::kFailuresNotInjected,
            fmt::format("{} calls failed in the window, {} of them on flows that no fault matches; none carries an "
                        "injected drop or delay that explains it", failed, found.failures_elsewhere.size())};
  if (window.completed > 0) return {Reason::kFaultBelowAppTimeout, below_timeout(given)};
  return {Reason::kNoKernelFailure,
          fmt::format("no call failed or was completed; {} in flight at the end", window.in_flight_at_end)};
}

Check judge_degradation(const Case& given) {
  auto check = claim("kernel_degradation");
  const auto& found = given.findings;
  check.n = found.failures_attributable;
  check.measured = fmt::format("{} of {} failures injected", found.failures_attributable, found.failures_in_window);
  check.expected = "at least 1";
  check.evidence = refs_of(found, [](const findings::Failure& failure) { return failure.injected; });
  if (found.failures_attributable == 0) {
    const auto why = why_nothing_to_record(given);
    if (why.reason == Reason::kFailuresNotInjected) {
      check.evidence = refs_of(found, [](const findings::Failure&) { return true; });
      check.evidence.insert(check.evidence.end(), found.failures_elsewhere.begin(), found.failures_elsewhere.end());
    }
    return inconclusive(check, why.reason, why.detail);
  }
  const auto& before = given.calls(BROWNOUT_PHASE_BASELINE);
  const auto& window = given.calls(BROWNOUT_PHASE_INJECT);
  return pass(check, fmt::format("{} of {} failed calls carry what was injected on their own flow; median latency {} "
                                 "before, {} in the window", found.failures_attributable, found.failures_in_window,
                                 milliseconds(before.p50_ms), milliseconds(window.p50_ms)));
}

Check judge_telemetry(const Case& given) {
  auto check = claim("telemetry");
  const auto& found = given.findings;
  const auto& drill = given.plan.drill;
  const auto all = found.failures_recordable;
  const auto interval = findings::proportion_interval(static_cast<std::uint64_t>(found.recorded_lower), all, 0.95);
  check.n = found.failures_attributable;
  check.expected =
      fmt::format("pass {} or more, fail {} or less", share(drill.telemetry_pass), share(drill.telemetry_fail));
  check.measured = fmt::format("{} of {}", between(found.recorded_lower, found.recorded_upper), all);
  if (found.failures_attributable == 0) {
    return inconclusive(check, why_nothing_to_record(given).reason, kNothingToRecord);
  }
  check.evidence =
      refs_of(found, [](const findings::Failure& failure) { return failure.injected && !failure.app_error; });
  if (found.timestamp_offset_suspected_ns)
    return inconclusive(
        check, Reason::kTimestampOffsetSuspected,
        fmt::format("the stamps of error_events are {} ahead of UTC", seconds(*found.timestamp_offset_suspected_ns)));
  const auto text = fmt::format("{} of {} attributable failures recorded (95 % interval of the coverage {} to {}){}",
                                check.measured.substr(0, check.measured.rfind(" of ")), all, share(interval.first),
                                share(interval.second),
                                drill.app->retries > 0 ? fmt::format(", {} retries folded", drill.app->retries)
                                                       : std::string("; the app may have retried")) +
                    (found.account.counts_only ? "; by error_count alone, there are no error_events" : "") +
                    stamps_taken_as(found);
  const double denominator = std::max(1.0, static_cast<double>(all));
  if (all > 0 && found.recorded_lower / denominator >= drill.telemetry_pass) return pass(check, text);
  if (all > 0 && found.recorded_upper / denominator <= drill.telemetry_fail && !retries_may_absorb(given))
    return fail_check(check, Reason::kTelemetryBlind, text);
  return inconclusive(check, Reason::kTelemetryPartial, text);
}

std::optional<Check> judge_recovered(const Case& given) {
  auto check = claim("recovered");
  const auto& found = given.findings;
  const bool stopped =
      given.evidence.ending == events::Ending::kStopFile || given.evidence.ending == events::Ending::kSignal;
  const auto* window = given.window();
  if (stopped && window != nullptr && window->complete && !found.recovered_after_s) return std::nullopt;
  check.n = given.calls(BROWNOUT_PHASE_RECOVERY).completed;
  check.measured = found.recovered_after_s ? fmt::format("after {:.1f} s", *found.recovered_after_s)
                                           : fmt::format("{} of the rate", share(found.recovery_rate_ratio));
  check.expected = "80 % of the rate, 1.2x p95";
  check.evidence = found.counter_refs;
  if (found.recovered_after_s)
    return pass(check, fmt::format("after {:.1f} s: {} of the baseline's calls per second, {} of its p95, {} failures",
                                   *found.recovered_after_s, share(found.recovery_rate_ratio),
                                   share(found.recovery_p95_ratio), found.recovery_failures));
  // Whatever else made calls fail may have gone on: that the app is not back is not the fault's doing.
  if (const auto others = failures_of_another_cause(found); others > 0)
    return inconclusive(check, Reason::kFailuresNotInjected,
                        fmt::format("{} of the rate at the end, but {} calls failed for another cause than the fault",
                                    share(found.recovery_rate_ratio), others));
  if (!found.recovery_measurable)
    return inconclusive(check, Reason::kSampleTooSmall,
                        "recovery is too short, or the baseline's rate too low, for 10 calls in 2 s or more");
  return fail_check(
      check, Reason::kNotRecovered,
      fmt::format("at the end {} of the baseline's calls per second, {} of its p95, {} failures",
                  share(found.recovery_rate_ratio), share(found.recovery_p95_ratio), found.recovery_failures));
}

std::optional<Check> judge_stop_semantics(const Case& given) {
  const bool placed = std::ranges::any_of(given.evidence.timeline, [](const events::TimelineEntry& entry) {
    return entry.kind == "action" && entry.fields.is_object() && entry.fields.value("what", "") == "create STOP file" &&
           entry.fields.value("result", "") == "ok";
  });
  if (!given.plan.drill.app || (given.evidence.ending != events::Ending::kStopFile && !placed)) return std::nullopt;
  auto check = claim("stop_semantics");
  check.expected = "status interrupted, stop_detected, stop_time, stop_reason";
  const auto manifest = last_app_manifest(given.evidence);
  if (!manifest.is_object() || manifest.contains("unreadable"))
    return inconclusive(check, Reason::kStopNotRecorded, "the app's manifest was not seen at the end");
  const auto problems = stop_problems(manifest);
  check.measured = problems.empty() ? "all four" : fmt::format("{}", fmt::join(problems, ", "));
  if (!problems.empty())
    return fail_check(check, Reason::kStopNotRecorded, fmt::format("{}", fmt::join(problems, ", ")));
  return pass(check, fmt::format("stopped at {} because of {}", manifest["stop_time"].get<std::string>(),
                                 manifest["stop_reason"].get<std::string>()));
}

}  // namespace brownout::verdict
