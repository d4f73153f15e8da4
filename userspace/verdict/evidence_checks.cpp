// SPDX-License-Identifier: MIT
// Is the evidence what it has to be: window, trace, clock, fingerprint, files, clean-up?
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "judging.hpp"

namespace brownout::verdict {
namespace {

constexpr std::int64_t kStepAllowedNs = findings::kMatchSlackNs / 4;
constexpr std::int64_t kSamplingGapNs = 1'000'000'000;
constexpr double kNotTraced = 0.01; // of the matched packets

// A packet counts once for each direction, however many faults match it.
std::uint64_t matched_packets(const findings::Findings& findings) {
  std::array<std::uint64_t, BROWNOUT_DIRECTIONS> most{};
  for (const auto& effect : findings.effects) {
    auto& of_direction = most[static_cast<std::size_t>(effect.direction)];
    of_direction = std::max<std::uint64_t>(of_direction, effect.counters.matched.packets);
  }
  return most[0] + most[1];
}

std::string trace_problem(const Case& given) {
  const auto& trace = given.evidence.counters.back().trace;
  const auto* sample = given.last_of_window();
  const auto flows = trace.flow_table_full + (sample == nullptr ? 0 : sample->inject.flow_table_full);
  if (trace.failures_lost > 0)
    return fmt::format("{} failures, RTOs or retransmits had no room in the ring", trace.failures_lost);
  if (given.findings.payloads_unaccounted > 0)
    return fmt::format("{} messages for names are missing that no counter of loss explains",
                       given.findings.payloads_unaccounted);
  if (given.findings.events_unaccounted > 0)
    return fmt::format("{} events are missing that no counter of loss explains", given.findings.events_unaccounted);
  if (trace.storage_failed > 0) return fmt::format("{} sockets could not be followed", trace.storage_failed);
  if (flows > 0) return fmt::format("{} times the table of flows was full", flows);
  return given.findings.snmp_violation;
}

const events::Snapshot* last_read(const events::Evidence& evidence) {
  const events::Snapshot* last = nullptr;
  for (const auto& snapshot : evidence.snapshots)
    if (snapshot.status == events::SnapshotStatus::kRead) last = &snapshot;
  return last;
}

// Ends that the drill's rules or the target brought about, each with a reason of its own.
Reason reason_of_early_end(events::Ending ending) {
  switch (ending) {
    case events::Ending::kTargetGone: return Reason::kTargetGone;
    case events::Ending::kCapReached: return Reason::kCapReached;
    case events::Ending::kAborted: return Reason::kAborted;
    default: return Reason::kOk;
  }
}

// What is wrong with the app's own counting.
Why trouble_of(const findings::Findings& found) {
  const auto& account = found.account;
  if (!account.reset.empty()) return {Reason::kCountersReset, account.reset};
  if (!account.backwards.empty()) return {Reason::kCountersBackwards, account.backwards};
  if (!account.disagreement.empty()) return {Reason::kCountersDisagree, account.disagreement};
  return {};
}

}  // namespace

Check judge_window(const Case& given) {
  auto check = prerequisite("window_as_planned");
  const auto planned = given.plan.drill.phases.inject.count();
  const auto* window = given.window();
  const auto lasted = window == nullptr ? 0 : window->end_ns - window->start_ns;
  check.measured = seconds(lasted);
  check.expected = seconds(planned);
  if (given.evidence.ending == events::Ending::kError) {
    inconclusive(
        check, Reason::kInterruptedByError,
        given.evidence.ending_detail.empty() ? "the end of the drill was not recorded" : given.evidence.ending_detail);
    check.outcome = Outcome::kError;
    return check;
  }
  if (window == nullptr) {
    const auto why = why_no_window(given);
    return inconclusive(check, why.reason, why.detail);
  }
  // A lost target also after a complete window: what was to be seen of its recovery was not.
  if (const auto reason = reason_of_early_end(given.evidence.ending); reason != Reason::kOk)
    return inconclusive(check, reason,
                        fmt::format("{} of {}: {}", seconds(lasted), seconds(planned), given.evidence.ending_detail));
  const bool shorter = static_cast<double>(lasted) < 0.95 * static_cast<double>(planned);
  if (!window->complete || shorter)
    return inconclusive(check, Reason::kWindowTruncated,
                        fmt::format("{} of {}: {}", seconds(lasted), seconds(planned),
                                    given.evidence.ending_detail.empty() ? "cut short" : given.evidence.ending_detail));
  if (static_cast<double>(lasted) > 1.05 * static_cast<double>(planned) + 1e9)
    return inconclusive(check, Reason::kFaultExceededPlan,
                        fmt::format("the window lasted {} instead of {}", seconds(lasted), seconds(planned)));
  const bool cut =
      given.evidence.ending == events::Ending::kStopFile || given.evidence.ending == events::Ending::kSignal;
  return pass(check,
              cut ? fmt::format("{} as planned; stopped in recovery: {}", seconds(lasted), given.evidence.ending_detail)
                  : fmt::format("{} as planned", seconds(lasted)));
}

Check judge_trace(const Case& given) {
  auto check = prerequisite("trace_complete");
  check.expected = "nothing lost";
  check.n = given.findings.events;
  if (given.evidence.counters.empty()) {
    if (given.window() == nullptr) {
      const auto why = why_no_window(given);
      return inconclusive(check, why.reason, why.detail);
    }
    return inconclusive(check, Reason::kTraceIncomplete, "the tracer's counters were never sampled");
  }
  check.measured = fmt::format("{} gaps in {} events", given.findings.sequence_gaps, check.n);
  check.evidence = {given.evidence.counters.back().ref};
  if (auto problem = trace_problem(given); !problem.empty())
    return inconclusive(check, Reason::kTraceIncomplete, std::move(problem));
  const auto* sample = given.last_of_window();
  const auto matched = matched_packets(given.findings);
  if (sample != nullptr &&
      static_cast<double>(sample->inject.payload_not_traced) > kNotTraced * static_cast<double>(matched))
    return inconclusive(check, Reason::kConnectionsNotObserved,
                        fmt::format("{} of {} matched packets carry payload of no traced socket",
                                    sample->inject.payload_not_traced, matched));
  return pass(check, fmt::format("{} events, {} details lost, {} over the budget, SNMP counters {}", check.n,
                                 given.evidence.counters.back().trace.details_lost,
                                 given.evidence.counters.back().trace.details_suppressed,
                                 given.findings.snmp_equal ? "equal" : "not exceeded"));
}

Check judge_clock(const Case& given) {
  auto check = prerequisite("clock");
  const auto step = std::llabs(given.findings.clock_step_ns);
  check.n = given.evidence.clocks.size();
  check.measured =
      fmt::format("{} ms", number(std::round(static_cast<double>(given.findings.clock_change_ns) / 1e3) / 1e3));
  check.expected = fmt::format("no step above {}", seconds(kStepAllowedNs));
  if (check.n < 2) return inconclusive(check, Reason::kClockStep, "the clocks were not read at both ends of the drill");
  if (step > kStepAllowedNs)
    return inconclusive(check, Reason::kClockStep,
                        fmt::format("the wall clock moved by {} against the monotonic one, {} allowed",
                                    seconds(given.findings.clock_change_ns), seconds(kStepAllowedNs)));
  return pass(check, fmt::format("the wall clock moved by {} against the monotonic one", check.measured));
}

Check judge_counters(const Case& given) {
  auto check = prerequisite("counters");
  const auto& snapshots = given.evidence.snapshots;
  const auto* last = last_read(given.evidence);
  check.n = snapshots.size();
  check.measured =
      fmt::format("{} versions, longest gap {}", snapshots.size(), seconds(given.evidence.longest_sampling_gap_ns));
  check.expected = fmt::format("readable, no gap above {}", seconds(kSamplingGapNs));
  if (given.evidence.run_changed)
    return inconclusive(check, Reason::kRunChanged,
                        fmt::format("a newer match of {} appeared", given.plan.drill.app->run_dir));
  if (last == nullptr && given.evidence.ending == events::Ending::kNoRunDirectory)
    return inconclusive(check, Reason::kRunDirectoryMissing, given.evidence.ending_detail);
  if (last == nullptr)
    return inconclusive(check, Reason::kCountersAbsent,
                        fmt::format("{} was never readable in {} looks that found a change",
                                    given.plan.drill.app->fingerprint, snapshots.size()));
  check.evidence = {last->ref};
  if (snapshots.back().status == events::SnapshotStatus::kUnparsable)
    return inconclusive(check, Reason::kCountersAbsent,
                        fmt::format("the last version cannot be read: {}", snapshots.back().problem));
  if (const auto why = trouble_of(given.findings); why.reason != Reason::kOk) {
    check.evidence = given.findings.account.refs;
    return inconclusive(check, why.reason, why.detail);
  }
  if (given.evidence.longest_sampling_gap_ns > kSamplingGapNs)
    return inconclusive(check, Reason::kSamplingGap,
                        fmt::format("{} between two looks, {} allowed", seconds(given.evidence.longest_sampling_gap_ns),
                                    seconds(kSamplingGapNs)));
  return pass(check, fmt::format("{} versions seen, never more than {} between two looks", snapshots.size(),
                                 seconds(given.evidence.longest_sampling_gap_ns)));
}

Check judge_bundle(const Case& given) {
  auto check = prerequisite("bundle_complete");
  if (given.evidence.recovered)
    return inconclusive(check, Reason::kPartialBundle, "sealed by `brownout recover`, after the drill's process had ended");
  if (!given.plan.drill.app) return pass(check, "no app: no files of it are required");
  const auto& required = given.plan.drill.app->required;
  check.expected = fmt::format("{} required files", required.size());
  if (!given.evidence.run_files && given.evidence.ending == events::Ending::kNoRunDirectory)
    return inconclusive(check, Reason::kRunDirectoryMissing, given.evidence.ending_detail);
  if (!given.evidence.run_files)
    return inconclusive(check, Reason::kRequiredFilesMissing, "the run directory was not listed at the end");
  const auto& files = *given.evidence.run_files;
  check.n = files.after.size();
  check.measured = fmt::format("{} missing", files.missing_required.size());
  if (!files.missing_required.empty())
    return inconclusive(check, Reason::kRequiredFilesMissing,
                        fmt::format("{}", fmt::join(files.missing_required, ", ")));
  return pass(check, fmt::format("{} files, all {} that are required", files.after.size(), required.size()));
}

Check judge_cleanup(const Case& given) {
  Check check{.name = "cleanup", .sort = CheckSort::kCleanup};
  const auto& leftovers = given.evidence.leftovers;
  check.measured = fmt::format("{} left", leftovers.size());
  check.expected = "0 left";
  if (given.evidence.cleanup_recorded && leftovers.empty()) return pass(check, "everything that was made is gone");
  inconclusive(check, Reason::kLeftovers,
               leftovers.empty() ? "the clean-up was not recorded"
                                 : fmt::format("{} left: {}", leftovers.size(), fmt::join(leftovers, ", ")));
  check.outcome = Outcome::kError;
  return check;
}

}  // namespace brownout::verdict
