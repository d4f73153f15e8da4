// SPDX-License-Identifier: MIT
// What the checks share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "brownout/verdict.hpp"

namespace brownout::verdict {

struct Case {
  const plan::Plan& plan;
  const events::Evidence& evidence;
  const findings::Findings& findings;

  // The injection window, nullptr: nothing was ever injected.
  const events::Window* window() const;
  // Empty statistics where the phase never was.
  const findings::CallStats& calls(std::uint32_t phase) const;
  const events::CounterSample* last_of_window() const;
};

Check prerequisite(std::string name);
Check claim(std::string name);
// The outcome, its reason and the sentence with the figures.
Check& pass(Check& check, std::string detail);
Check& inconclusive(Check& check, Reason reason, std::string detail);
Check& fail_check(Check& check, Reason reason, std::string detail);

struct Why { Reason reason = Reason::kOk; std::string detail; };
// Why there is no injection window.
Why why_no_window(const Case& given);
// Why no call failed because of the fault, so that the app had nothing to record.
Why why_nothing_to_record(const Case& given);
// For the claims beside kernel_degradation, which says it in full.
inline constexpr auto kNothingToRecord = "no call failed because of the fault, so there was nothing to record";

// With `app.retries` a failure need not be an error as long as calls get through in the end.
bool retries_may_absorb(const Case& given);

std::string number(double value);        // up to 4 digits, no trailing zeros
std::string share(double fraction);      // "12.3 %"
std::string seconds(std::int64_t ns);    // "20 s"
std::string milliseconds(const std::optional<double>& value); // "12.1 ms", "-"
std::string between(double low, double high);

Check judge_pressure(const Case& given);
Check judge_baseline(const Case& given);
Check judge_fault_effect(const Case& given, const findings::FaultEffect& effect);
Check judge_window(const Case& given);
Check judge_trace(const Case& given);
Check judge_clock(const Case& given);
Check judge_counters(const Case& given);
Check judge_bundle(const Case& given);
Check judge_degradation(const Case& given);
Check judge_telemetry(const Case& given);
Check judge_gate(const Case& given, std::size_t index);
std::optional<Check> judge_recovered(const Case& given);      // nothing: cut short by STOP, the verdict stands
std::optional<Check> judge_stop_semantics(const Case& given); // nothing: there was no stop
Check judge_cleanup(const Case& given);

// Where to look for a check that points at no lines of its own: at what the timeline and the list of files say of it.
void point_at_evidence(const Case& given, Check& check);

}  // namespace brownout::verdict
