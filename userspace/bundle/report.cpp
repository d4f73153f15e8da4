// SPDX-License-Identifier: MIT
// report.md: the drill for a person who was not there.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/clock.hpp"
#include "report_sections.hpp"
#include "report_text.hpp"
#include "report_words.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;

std::string said(const ReportInputs& inputs, const char* name, const char* pointer) {
  return fmt::format("| {} | {} |\n", name, cell(manifest_text(inputs.manifest, pointer)));
}

// "Not proven: telemetry, gate 1: error_count": which checks came out so.
std::string checks_that(const ReportInputs& inputs, verdict::Outcome outcome, const char* words) {
  std::vector<std::string> names;
  for (const auto& check : inputs.verdict.checks)
    if (check.outcome == outcome) names.push_back(cell(check.name));
  return names.empty() ? std::string{} : fmt::format("- {}: {}\n", words, fmt::join(names, ", "));
}

}  // namespace

std::string summary_section(const ReportInputs& inputs) {
  const auto& verdict = inputs.verdict;
  std::string text = fmt::format("# brownout drill {}\n\n**Verdict: {}** (scope: {}, completeness: {})\n\n",
                                 cell(inputs.plan.drill.name), verdict::name(verdict.outcome), verdict.scope,
                                 verdict.completeness);
  if (inputs.evidence.recovered)
    text += "**Partial**: the drill's process ended before it could seal; `brownout recover` sealed what it had "
            "written.\n\n";
  for (const auto& reason : verdict.reasons) text += fmt::format("- {}\n", prose(reason));
  text += "\n" + checks_that(inputs, verdict::Outcome::kPass, "Holds");
  text += checks_that(inputs, verdict::Outcome::kInconclusive, "Not proven");
  text += checks_that(inputs, verdict::Outcome::kFail, "Failed");
  text += checks_that(inputs, verdict::Outcome::kError, "In error");
  text += "\n| | |\n| --- | --- |\n";
  text += said(inputs, "run", "/run_id") + said(inputs, "target", "/target/name");
  text += said(inputs, "container", "/target/container_id") + said(inputs, "image", "/target/image");
  text += said(inputs, "host", "/host/hostname") + said(inputs, "kernel", "/host/kernel_release");
  text += said(inputs, "operator", "/operator/user") + said(inputs, "brownout", "/tool/version");
  text += said(inputs, "commit", "/tool/commit") + said(inputs, "sealed", "/sealed_utc");
  text += said(inputs, "how it ended", "/ending/ending") + said(inputs, "detail", "/ending/detail");
  return text;
}

std::string limits_section(const ReportInputs& inputs) {
  std::string text = heading("What could not be observed");
  const auto names = names_not_known(inputs.evidence);
  if (inputs.evidence.not_observed.empty() && names.empty()) text += "Nothing that was asked for.\n";
  for (const auto& item : inputs.evidence.not_observed) text += fmt::format("- {}\n", prose(item));
  for (const auto& item : names) text += fmt::format("- {}\n", item);
  return text;
}

std::string verification_section(const ReportInputs& inputs) {
  const auto name = inputs.manifest.value("bundle", json("BUNDLE"));
  const auto bundle = name.is_string() ? name.get<std::string>() : std::string{"BUNDLE"};
  return heading("How to check this bundle") +
         fmt::format("```\nsha256sum -c --strict {0}.tar.gz.sha256\ntar xzf {0}.tar.gz\n"
                     "cd {0} && sha256sum -c --strict SHA256SUMS.txt\nbrownout verify {0}.tar.gz\n```\n\n"
                     "The last one also judges again from the records, and refuses a verdict or a report that does not "
                     "follow from them. Digests show that nothing changed since sealing, not who sealed it: compare "
                     "the archive's sha256 with the one that was printed at the end of the drill.\n",
                     bundle);
}

std::string render_report(const plan::Plan& plan, const events::Evidence& evidence,
                          const findings::Findings& findings, const verdict::Verdict& verdict,
                          const nlohmann::json& manifest) {
  const ReportInputs inputs{plan, evidence, findings, verdict, manifest};
  return summary_section(inputs) + checks_section(inputs) + timeline_section(inputs) + figures_section(inputs) +
         destinations_section(inputs) + edges_section(inputs) +
         injection_section(inputs) + capture_section(inputs) + ledger_section(inputs) + failures_section(inputs) + lookups_section(inputs) +
         app_errors_section(inputs) + provenance_section(inputs) + shards_section(inputs) +
         rules_section(inputs) + limits_section(inputs) + verification_section(inputs);
}

}  // namespace brownout::bundle
