// SPDX-License-Identifier: MIT
// Stage 7. Rules, fixed beforehand; pure. Every reason is in one closed enum; docs/verdict.md has the table of what
// rests on what.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/exit_code.hpp"
#include "brownout/findings.hpp"

namespace brownout::verdict {

enum class Outcome : std::uint8_t { kPass, kInconclusive, kFail, kError }; // ascending: the roll-up is the maximum
enum class CheckSort : std::uint8_t { kPrerequisite, kClaim, kCleanup };

enum class Reason : std::uint8_t {
  kOk,
  kNoPressure, kPressureNotSustained, kWindowTruncated, kRunDirectoryMissing, kRunChanged, kInterruptedByError,
  kTargetGone, kPartialBundle, kCapReached, kAborted,
  kBaselineTooSmall, kBaselineAlreadyFailing,
  kFaultNotEffective, kSampleTooSmall, kFaultExceededPlan, kWitnessDisagrees, kFaultHalted,
  kTraceIncomplete, kConnectionsNotObserved, kCallsUnsupported, kCallsUnreliable,
  kClockStep, kCountersNotSampledInWindow, kCountersAbsent, kSamplingGap,
  kCountersReset, kCountersBackwards, kCountersDisagree, kCountersOnly,
  kNoKernelFailure, kFailuresNotInjected, kFaultBelowAppTimeout,
  kTelemetryBlind, kTelemetryPartial, kErrorsNotNetwork,
  kGateNotMet, kGateExceeded, kGateNotMeasurable,
  kNotRecovered, kRequiredFilesMissing, kLeftovers, kNoClaim, kStopNotRecorded, kTimestampOffsetSuspected,
};
std::string_view name(Reason reason);    // "no_pressure"
std::string_view meaning(Reason reason); // one sentence
std::string_view advice(Reason reason);  // what to do next, naming the drill's key to change
std::string_view example(Reason reason);
std::span<const Reason> all_reasons();
// Which of two reasons explains more, the lower one first: a root cause before what follows from it.
int rank(Reason reason);

struct Check {
  std::string name; // "pressure", "telemetry", "gate 1: error_count"
  CheckSort sort = CheckSort::kPrerequisite;
  Outcome outcome = Outcome::kInconclusive;
  Reason reason = Reason::kOk;
  std::string detail; // a sentence with the figures
  std::string measured, expected;
  std::uint64_t n = 0;
  std::vector<events::Ref> evidence;
  // A failure that more time could not have undone: it stands although the window was cut short by a STOP or a signal.
  bool proven_early = false;
  std::string rests_on; // the prerequisite that made this claim inconclusive; empty: its own reason
};

struct Verdict {
  Outcome outcome = Outcome::kInconclusive;
  std::vector<std::string> reasons; // "telemetry: telemetry_blind: sentence", the deciding one first
  std::vector<Check> checks;
  std::string scope; // "app" | "kernel_only"
  std::string completeness; // "complete" | "bounded"
};

Verdict judge(const plan::Plan& plan, const events::Evidence& evidence, const findings::Findings& findings);

// What a check is called before ':' and without its number: "fault_effective: fault 1 loss egress" and
// "gate 2: error_count" belong to "fault_effective" and "gate".
std::string_view family(std::string_view check_name);
// Which prerequisites a claim rests on, by the claim's family ("telemetry", "gate", ...).
struct Dependency { std::string_view claim; std::vector<std::string_view> prerequisites; };
const std::vector<Dependency>& dependencies();
// Applies dependencies() and rolls up; pure, so that every pair can be tested.
Verdict conclude(std::vector<Check> checks);

std::string_view name(Outcome outcome); // "PASS" | "NOT_MEASURABLE" | "FAIL" | "ERROR"
std::string_view word(Outcome outcome); // of a check: "pass" | "inconclusive" | "fail" | "error"
ExitCode exit_code(Outcome outcome);
nlohmann::json to_json(const Verdict& verdict);
// The table for a terminal and report.md.
std::string render_table(const Verdict& verdict, bool colour);

}  // namespace brownout::verdict
