// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "judging.hpp"

namespace brownout::verdict {

const events::Window* Case::window() const {
  const auto found = evidence.windows.find(BROWNOUT_PHASE_INJECT);
  if (found == evidence.windows.end() || found->second.end_ns <= found->second.start_ns) return nullptr;
  return &found->second;
}

const findings::CallStats& Case::calls(std::uint32_t phase) const {
  static const findings::CallStats kNone{};
  const auto found = findings.calls.find(phase);
  return found == findings.calls.end() ? kNone : found->second;
}

const events::CounterSample* Case::last_of_window() const {
  const events::CounterSample* last = nullptr;
  for (const auto& sample : evidence.counters)
    if (sample.injecting && sample.phase == BROWNOUT_PHASE_INJECT) last = &sample;
  return last;
}

Check prerequisite(std::string name) { return {.name = std::move(name), .sort = CheckSort::kPrerequisite}; }
Check claim(std::string name) { return {.name = std::move(name), .sort = CheckSort::kClaim}; }

Check& pass(Check& check, std::string detail) {
  check.outcome = Outcome::kPass;
  check.reason = Reason::kOk;
  check.detail = std::move(detail);
  return check;
}

Check& inconclusive(Check& check, Reason reason, std::string detail) {
  check.outcome = Outcome::kInconclusive;
  check.reason = reason;
  check.detail = std::move(detail);
  return check;
}

Check& fail_check(Check& check, Reason reason, std::string detail) {
  check.outcome = Outcome::kFail;
  check.reason = reason;
  check.detail = std::move(detail);
  return check;
}

Why why_no_window(const Case& given) {
  const auto& detail = given.evidence.ending_detail;
  const auto with = [&](std::string_view text) {
    return detail.empty() ? std::string(text) : fmt::format("{}: {}", text, detail);
  };
  switch (given.evidence.ending) {
    case events::Ending::kNoPressure: return {Reason::kNoPressure, with("nothing was injected")};
    case events::Ending::kNoRunDirectory: return {Reason::kRunDirectoryMissing, with("nothing was injected")};
    case events::Ending::kError: return {Reason::kInterruptedByError, with("nothing was injected")};
    case events::Ending::kTargetGone: return {Reason::kTargetGone, with("nothing was injected")};
    default: return {Reason::kWindowTruncated, with("ended before the injection began")};
  }
}

std::string number(double value) {
  if (std::isinf(value)) return value < 0 ? "-inf" : "any";
  if (value == std::round(value) && std::fabs(value) < 1e15) return fmt::format("{:.0f}", value);
  return std::fabs(value) >= 1000 ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
}

std::string share(double fraction) { return number(std::round(fraction * 1000) / 10) + " %"; }
std::string seconds(std::int64_t ns) { return number(std::round(static_cast<double>(ns) / 1e7) / 100) + " s"; }

std::string milliseconds(const std::optional<double>& value) {
  return value ? fmt::format("{} ms", number(*value)) : "-";
}

std::string between(double low, double high) {
  if (std::isinf(high)) return "at least " + number(low);
  return low == high ? number(low) : fmt::format("{} to {}", number(low), number(high));
}

bool retries_may_absorb(const Case& given) {
  return given.plan.drill.app && given.plan.drill.app->retries > 0 && given.calls(BROWNOUT_PHASE_INJECT).completed > 0;
}

Verdict judge(const plan::Plan& plan, const events::Evidence& evidence, const findings::Findings& findings) {
  const Case given{plan, evidence, findings};
  std::vector<Check> checks{judge_pressure(given), judge_baseline(given)};
  for (const auto& effect : findings.effects) checks.push_back(judge_fault_effect(given, effect));
  checks.push_back(judge_window(given));
  checks.push_back(judge_trace(given));
  checks.push_back(judge_clock(given));
  if (plan.drill.app) checks.push_back(judge_counters(given));
  checks.push_back(judge_bundle(given));
  checks.push_back(judge_degradation(given));
  if (plan.drill.app) checks.push_back(judge_telemetry(given));
  for (std::size_t i = 0; i < plan.gates.size(); ++i) checks.push_back(judge_gate(given, i));
  if (auto recovered = judge_recovered(given)) checks.push_back(std::move(*recovered));
  if (auto stopped = judge_stop_semantics(given)) checks.push_back(std::move(*stopped));
  checks.push_back(judge_cleanup(given));
  for (auto& check : checks) point_at_evidence(given, check);
  auto verdict = conclude(std::move(checks));
  verdict.scope = plan.drill.app ? "app" : "kernel_only";
  verdict.completeness = findings.snmp_equal ? "complete" : "bounded";
  return verdict;
}

}  // namespace brownout::verdict
