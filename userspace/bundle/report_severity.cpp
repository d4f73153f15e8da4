// SPDX-License-Identifier: MIT
// Severity by a rule that was there before the drill, and the facts that it took: docs/verdict.md.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report_headings.hpp"
#include "report_sections.hpp"
#include "report_text.hpp"

namespace brownout::bundle {
namespace {

using verdict::Check;
using verdict::Outcome;

struct Rule { std::string_view severity, words; };

// The first that applies counts.
constexpr std::array kRules{
    Rule{"critical", "`cleanup` is in error: something of brownout's may still be on the host"},
    Rule{"high", "`recovered` or `telemetry` failed: the application did not come back by itself, or did not record what failed"},
    Rule{"medium", "another claim failed"},
    Rule{"not determined", "the verdict is ERROR or NOT_MEASURABLE: nothing is proven either way"},
    Rule{"low", "the verdict is PASS, but an attributable failure is not in the app's record, or the record or the recovery was not checked"},
    Rule{"none", "the verdict is PASS, every attributable failure is in the app's record, and the application recovered"},
};

bool any(const std::vector<const Check*>& checks, Outcome outcome) {
  return std::ranges::any_of(checks, [outcome](const Check* check) { return check->outcome == outcome; });
}

// As `telemetry` counts them: retries folded, and by error_count where nothing is listed.
double unrecorded_failures(const ReportInputs& inputs) {
  if (!inputs.plan.drill.app) return 0;
  return std::max(0.0, static_cast<double>(inputs.findings.failures_recordable) - inputs.findings.recorded_lower);
}

std::size_t rule_of(const ReportInputs& inputs) {
  const auto& verdict = inputs.verdict;
  if (any(checks_of(verdict, {"cleanup"}), Outcome::kError)) return 0;
  if (any(checks_of(verdict, {"recovered", "telemetry"}), Outcome::kFail)) return 1;
  if (std::ranges::find(verdict.checks, Outcome::kFail, &Check::outcome) != verdict.checks.end()) return 2;
  if (verdict.outcome != Outcome::kPass) return 3;
  return inputs.plan.drill.app && unrecorded_failures(inputs) <= 0 && !checks_of(verdict, {"recovered"}).empty() ? 5 : 4;
}

std::vector<std::string> fact(std::string_view what, std::string value, const std::vector<events::Ref>& refs) {
  return {std::string{what}, std::move(value), refs.empty() ? "-" : pointers(refs)};
}

std::vector<std::string> of_checks(const ReportInputs& inputs, std::string_view what, const std::vector<std::string_view>& families) {
  const auto checks = checks_of(inputs.verdict, families);
  if (checks.empty()) return fact(what, "not checked", {});
  return fact(what, cell(fmt::format("{}: {}", verdict::word(checks.front()->outcome), checks.front()->detail)),
              checks.front()->evidence);
}

std::string unrecorded(const ReportInputs& inputs) {
  if (!inputs.plan.drill.app) return "not checked";
  return fmt::format("{:g} of {}{}", unrecorded_failures(inputs), inputs.findings.failures_recordable,
                     inputs.plan.drill.app->retries > 0 ? fmt::format(", {} retries folded", inputs.plan.drill.app->retries) : "");
}

}  // namespace

std::string severity_section(const ReportInputs& inputs) {
  const auto& verdict = inputs.verdict;
  const auto rule = rule_of(inputs);
  std::vector<events::Ref> unexplained;
  for (const auto& failure : inputs.findings.failures)
    if (failure.in_window && failure.injected && !failure.app_error) unexplained.push_back(failure.ref);
  std::vector<std::string> failed;
  for (const auto& check : verdict.checks)
    if (check.outcome == Outcome::kFail) failed.push_back(cell(check.name));
  std::string text = heading(Heading::kSeverity, inputs.language);
  text += fmt::format("**{}**, of a drill: a controlled test. Rule {}: {}.\n\n", kRules.at(rule).severity, rule + 1,
                      kRules.at(rule).words);
  text += table({"fact", "as found", "evidence"},
                {fact("verdict", std::string{verdict::name(verdict.outcome)}, {}),
                 fact("claims that failed", failed.empty() ? "none" : fmt::format("{}", fmt::join(failed, ", ")), {}),
                 fact("attributable failures without a record of the app", unrecorded(inputs),
                      unrecorded_failures(inputs) > 0 ? unexplained : std::vector<events::Ref>{}),
                 of_checks(inputs, "recovered", {"recovered"}), of_checks(inputs, "cleanup", {"cleanup"})});
  text += "\nThe rules, of which the first that applies counts:\n\n";
  for (std::size_t i = 0; i < kRules.size(); ++i) text += fmt::format("{}. {}: {}\n", i + 1, kRules.at(i).severity, kRules.at(i).words);
  return text;
}

}  // namespace brownout::bundle
