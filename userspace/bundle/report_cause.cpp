// SPDX-License-Identifier: MIT
// The root cause as far as it was measured, what is not known of it, and what to do next.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report_headings.hpp"
#include "report_sections.hpp"
#include "report_text.hpp"

namespace brownout::bundle {
namespace {

using Refs = std::vector<events::Ref>;
using findings::Failure;

template <typename Wanted>
Refs refs_of(const findings::Findings& findings, const Wanted& wanted) {
  Refs refs;
  for (const auto& failure : findings.failures)
    if (wanted(failure)) refs.push_back(failure.ref);
  return refs;
}

std::string said(std::string_view what, const Refs& refs) {
  return refs.empty() ? fmt::format("- {}\n", what) : fmt::format("- {}: {}\n", what, pointers(refs));
}

// "closed_unanswered 8, connect_timeout 1"
std::string kinds(const findings::Findings& findings) {
  std::map<std::string, std::size_t> counts;
  for (const auto& failure : findings.failures)
    if (failure.in_window && failure.injected) ++counts[std::string{events::event_kind_name(failure.event.kind)}];
  std::vector<std::string> words;
  for (const auto& [kind, count] : counts) words.push_back(fmt::format("{} {}", cell(kind), count));
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string injected_on_their_flows(const findings::Findings& findings) {
  const auto ours = [](const Failure& failure) { return failure.in_window && failure.injected; };
  std::uint64_t dropped = 0, held = 0;
  for (const auto& failure : findings.failures)
    if (ours(failure))
      for (const auto direction : {BROWNOUT_EGRESS, BROWNOUT_INGRESS}) {
        dropped += failure.event.dropped[direction];
        held += failure.event.held[direction];
      }
  return said(fmt::format("Injected: {} of {} calls that failed in the window ({}) carry {} packets dropped and {} held on their "
                          "own flow between the call's start and its failure",
                          findings.failures_attributable, findings.failures_in_window, kinds(findings), dropped, held),
              refs_of(findings, ours));
}

std::string pairs(const ReportInputs& inputs) {
  const auto& findings = inputs.findings;
  if (!inputs.plan.drill.app) return "- The app's record of them: not checked, the drill names no `app`\n";
  const auto missing = refs_of(findings, [](const Failure& failure) { return failure.in_window && failure.injected && !failure.app_error; });
  Refs records;
  for (const auto& failure : findings.failures)
    if (failure.in_window && failure.injected && failure.app_error)
      records.push_back(findings.app_errors.at(*failure.app_error).error.ref);
  std::string text = said(fmt::format("Matched pairs: the app's own record was found of {} of those {}", records.size(),
                                      findings.failures_attributable),
                          records);
  return missing.empty() ? text : text + said(fmt::format("Without a record of the app: {}", missing.size()), missing);
}

std::string known(const ReportInputs& inputs) {
  const auto& findings = inputs.findings;
  if (findings.failures_attributable > 0) return injected_on_their_flows(findings) + pairs(inputs);
  if (findings.failures_in_window > 0)
    return fmt::format("- None of {} calls that failed in the window carries anything injected that explains it\n", findings.failures_in_window);
  std::string text = "- No call failed in the window on the flows hit: there is no failure whose cause could be named\n";
  for (const auto* check : checks_of(inputs.verdict, {"kernel_degradation"}))
    text += fmt::format("- {}: {}: {}\n", cell(check->name), verdict::name(check->reason), prose(check->detail));
  return text;
}

std::string unattributed(const findings::Findings& findings) {
  std::string text;
  const auto add = [&text](const Refs& refs, std::string_view words) {
    if (!refs.empty()) text += said(fmt::format("{} {}", refs.size(), words), refs);
  };
  add(refs_of(findings, [](const Failure& failure) { return failure.in_window && !failure.injected; }),
      "calls failed in the window without anything injected that explains it: their cause is not known");
  add(findings.failures_elsewhere, "calls failed in the window on flows that no fault matches: their cause is not known");
  add(refs_of(findings, [](const Failure& failure) { return !failure.in_window; }),
      "calls that started outside of the window failed: their cause was not looked into");
  Refs errors;
  for (const auto& found : findings.app_errors)
    if (!found.failure && !found.lookup && (found.in_window || found.maybe_in_window)) errors.push_back(found.error.ref);
  add(errors, "errors of the app in the window belong to no failed call: their cause is not known");
  Refs lookups;
  for (const auto& lookup : findings.lookups)
    if (lookup.in_window && !lookup.injected) lookups.push_back(lookup.ref);
  add(lookups, "DNS queries failed in the window without anything injected on them: their cause is not known");
  return text;
}

std::string not_proven(const verdict::Verdict& verdict) {
  std::string text;
  for (const auto& check : verdict.checks) {
    if (check.outcome != verdict::Outcome::kInconclusive && check.outcome != verdict::Outcome::kError) continue;
    text += fmt::format("- {}: {} ({})\n", cell(check.name),
                        check.outcome == verdict::Outcome::kError ? "in error" : "not proven", verdict::name(check.reason));
  }
  for (const auto family : {"recovered", "stop_semantics", "telemetry"})
    if (checks_of(verdict, {family}).empty()) text += fmt::format("- {}: not checked\n", family);
  return text;
}

std::string not_observed(const ReportInputs& inputs) {
  std::string text = heading(Heading::kNotObserved, inputs.language);
  const auto names = names_not_known(inputs.evidence);
  if (inputs.evidence.not_observed.empty() && names.empty()) text += "Nothing that was asked for.\n";
  for (const auto& item : inputs.evidence.not_observed) text += fmt::format("- {}\n", prose(item));
  for (const auto& item : names) text += fmt::format("- {}\n", item);
  return text;
}

// One line of advice for each reason, in the order in which they explain, with the checks that have it.
struct Step {
  verdict::Reason reason = verdict::Reason::kOk;
  std::vector<std::string> checks;
  Refs refs;
};
std::vector<Step> steps(const verdict::Verdict& verdict) {
  std::vector<Step> found;
  for (const auto& check : verdict.checks) {
    if (check.outcome == verdict::Outcome::kPass) continue;
    auto step = std::ranges::find(found, check.reason, &Step::reason);
    if (step == found.end()) step = found.insert(found.end(), Step{check.reason, {}, {}});
    step->checks.push_back(cell(check.name));
    if (check.rests_on.empty()) step->refs.insert(step->refs.end(), check.evidence.begin(), check.evidence.end());
  }
  std::ranges::stable_sort(found, {}, [](const Step& step) { return verdict::rank(step.reason); });
  return found;
}

}  // namespace

std::string root_cause_section(const ReportInputs& inputs) {
  std::string text = heading(Heading::kRootCause, inputs.language);
  text += "What was measured, and no more. That a call's own flow was hit before the call failed is a fact; that it would not have "
          "failed otherwise is not.\n\n" + known(inputs);
  text += heading(Heading::kNotKnown, inputs.language);
  const auto unknown = unattributed(inputs.findings) + not_proven(inputs.verdict);
  return text + (unknown.empty() ? "No failure of the window is without a cause, and no check is open.\n" : unknown) +
         not_observed(inputs);
}

std::string next_step_section(const ReportInputs& inputs) {
  std::string text = heading(Heading::kNextStep, inputs.language);
  const auto found = steps(inputs.verdict);
  if (found.empty() && inputs.verdict.outcome == verdict::Outcome::kPass)
    return text + fmt::format("{}\n", prose(verdict::advice(verdict::Reason::kOk)));
  if (found.empty()) return text + fmt::format("1. {}\n", prose(verdict::advice(verdict::Reason::kNoClaim)));
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& [reason, checks, refs] = found[i];
    text += fmt::format("{}. {} ({}, of {}{})\n", i + 1, prose(verdict::advice(reason)), verdict::name(reason),
                        fmt::join(checks, ", "), refs.empty() ? "" : "; evidence: " + pointers(refs));
  }
  return text;
}

}  // namespace brownout::bundle
