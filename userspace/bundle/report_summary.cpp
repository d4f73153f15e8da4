// SPDX-License-Identifier: MIT
// What happened, in what may be read in ten seconds: verdict and reasons, what is proven of what was asked, and the drill
// in a sentence or three.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/clock.hpp"
#include "report_headings.hpp"
#include "report_sections.hpp"
#include "report_text.hpp"
#include "report_words.hpp"

namespace brownout::bundle {
namespace {

using verdict::Outcome;

// "Not proven: telemetry, gate 1: error_count": which checks came out so.
std::string checks_that(const ReportInputs& inputs, Outcome outcome, const char* words) {
  std::vector<std::string> names;
  for (const auto& check : inputs.verdict.checks)
    if (check.outcome == outcome) names.push_back(cell(check.name));
  return names.empty() ? std::string{} : fmt::format("- {}: {}\n", words, fmt::join(names, ", "));
}

// What an operator asks of a drill, and the checks that answer it.
struct Question {
  std::string_view words;
  std::vector<std::string_view> families;
};
const std::vector<Question>& questions() {
  static const std::vector<Question> kQuestions{
      {"Fault as planned", {"window_as_planned", "fault_effective"}},
      {"Degradation under call pressure", {"pressure", "baseline", "kernel_degradation"}},
      {"Degradation telemetry", {"telemetry", "gate"}},
      {"Recovery", {"recovered"}},
      {"STOP semantics", {"stop_semantics"}},
      {"Evidence packaging", {"bundle_complete"}},
      {"Clean-up", {"cleanup"}},
  };
  return kQuestions;
}

std::string_view answer(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass: return "pass";
    case Outcome::kInconclusive: return "not proven";
    case Outcome::kFail: return "fail";
    case Outcome::kError: return "error";
  }
  return "error";
}

std::vector<std::string> answered(const ReportInputs& inputs, const Question& question) {
  const auto checks = checks_of(inputs.verdict, question.families);
  if (checks.empty()) return {std::string{question.words}, "not checked", "-", "-"};
  // The worst, of equals the first, as claims follow what they rest on. Where all hold it is the claim that tells most.
  const auto* worst = *std::ranges::max_element(checks, {}, &verdict::Check::outcome);
  if (worst->outcome == Outcome::kPass) worst = checks.back();
  return {std::string{question.words}, std::string{answer(worst->outcome)},
          cell(fmt::format("{}: {}", worst->name, worst->detail)), pointers(worst->evidence)};
}

std::string answers(const ReportInputs& inputs) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& question : questions()) rows.push_back(answered(inputs, question));
  return table({"what", "outcome", "why", "evidence"}, rows);
}

std::string faults(const plan::Plan& plan) {
  std::vector<std::string> labels;
  for (const auto& fault : plan.faults) labels.push_back(prose(fault.label));
  return fmt::format("{}", fmt::join(labels, " and "));
}

std::string recorded(const ReportInputs& inputs) {
  return inputs.plan.drill.app ? fmt::format("the app recorded {} of these", inputs.findings.failures_recorded)
                               : "whether the app recorded them was not checked";
}

std::string calls_of_window(const ReportInputs& inputs) {
  const auto found = inputs.findings.calls.find(BROWNOUT_PHASE_INJECT);
  const auto calls = found == inputs.findings.calls.end() ? findings::CallStats{} : found->second;
  const auto failed = inputs.findings.failures_in_window;
  std::string text = fmt::format("In that window {} calls started on the flows hit, {} were answered and {} failed", calls.started,
                                 calls.completed, failed);
  if (failed == 0) return text + ".";
  return text + fmt::format("; {} of those that failed carry what was injected on their own flow, and {}.",
                            inputs.findings.failures_attributable, recorded(inputs));
}

std::string target_of(const ReportInputs& inputs) {
  const auto name = manifest_text(inputs.manifest, "/target/name");
  return name == "-" ? "the target" : prose(name);
}

std::string in_words(const ReportInputs& inputs) {
  const auto& evidence = inputs.evidence;
  const auto ended = fmt::format("It ended: {}{} ({}).", events::ending_name(evidence.ending),
                                 evidence.ending_detail.empty() ? "" : ", " + prose(evidence.ending_detail),
                                 pointers(timeline_refs(evidence, "ending")));
  const auto window = evidence.windows.find(BROWNOUT_PHASE_INJECT);
  if (window == evidence.windows.end())
    return fmt::format("Nothing was injected on {}; planned was: {}. {}\n", target_of(inputs), faults(inputs.plan), ended);
  const auto& [start, end, complete] = window->second;
  return fmt::format("On {} these faults were armed for {:.1f} s, {} to {} ({}): {}. {} {}\n", target_of(inputs),
                     static_cast<double>(end - start) / 1e9, format_utc(events::to_realtime_ns(evidence, start)),
                     format_utc(events::to_realtime_ns(evidence, end)),
                     pointers(timeline_refs(evidence, "phase", "inject")), faults(inputs.plan), calls_of_window(inputs), ended);
}

}  // namespace

std::string what_happened_section(const ReportInputs& inputs) {
  const auto& verdict = inputs.verdict;
  std::string text = heading(Heading::kWhatHappened, inputs.language);
  text += fmt::format("**Verdict: {}** (scope: {}, completeness: {})\n\n", verdict::name(verdict.outcome), verdict.scope,
                      verdict.completeness);
  if (inputs.evidence.recovered)
    text += "**Partial**: the drill's process ended before it could seal; `brownout recover` sealed what it had "
            "written.\n\n";
  for (const auto& reason : verdict.reasons) text += fmt::format("- {}\n", prose(reason));
  text += "\n" + in_words(inputs) + "\n" + answers(inputs) + "\n";
  text += checks_that(inputs, Outcome::kPass, "Holds");
  text += checks_that(inputs, Outcome::kInconclusive, "Not proven");
  text += checks_that(inputs, Outcome::kFail, "Failed");
  text += checks_that(inputs, Outcome::kError, "In error");
  return text;
}

}  // namespace brownout::bundle
