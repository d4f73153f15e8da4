// SPDX-License-Identifier: MIT
// report.md: the drill for a person who was not there, in the shape of the operators' incident record.
#include <algorithm>

#include <fmt/format.h>

#include "opened.hpp"
#include "rejudge.hpp"
#include "report_headings.hpp"
#include "report_sections.hpp"
#include "report_text.hpp"

namespace brownout::bundle {

std::vector<events::Ref> timeline_refs(const events::Evidence& evidence, std::string_view kind, std::string_view phase) {
  std::vector<events::Ref> refs;
  for (const auto& entry : evidence.timeline) {
    if (entry.kind != kind) continue;
    const auto found = entry.fields.find("phase");
    if (phase.empty() || (found != entry.fields.end() && *found == phase)) refs.push_back(entry.ref);
  }
  return refs;
}

std::vector<const verdict::Check*> checks_of(const verdict::Verdict& verdict, const std::vector<std::string_view>& families) {
  std::vector<const verdict::Check*> checks;
  for (const auto& check : verdict.checks)
    if (std::ranges::find(families, verdict::family(check.name)) != families.end()) checks.push_back(&check);
  return checks;
}

std::string render_report(const plan::Plan& plan, const events::Evidence& evidence,
                          const findings::Findings& findings, const verdict::Verdict& verdict,
                          const nlohmann::json& manifest, std::optional<ReportLanguage> language) {
  const ReportInputs inputs{plan, evidence, findings, verdict, manifest, language.value_or(report_language_of(manifest))};
  return fmt::format("# brownout drill {}\n", cell(plan.drill.name)) + what_happened_section(inputs) +
         context_section(inputs) + timeline_section(inputs) + provenance_section(inputs) +
         severity_section(inputs) +
         injection_method_section(inputs) + injection_section(inputs) + capture_section(inputs) +
         degradation_section(inputs) + figures_section(inputs) + failures_section(inputs) + lookups_section(inputs) +
         app_errors_section(inputs) + destinations_section(inputs) + edges_section(inputs) + ledger_section(inputs) +
         checks_section(inputs) +
         root_cause_section(inputs) +
         evidence_bundle_section(inputs) + shards_section(inputs) +
         rules_section(inputs) +
         next_step_section(inputs);
}

Result<std::string> markdown_report(const std::filesystem::path& evidence, std::optional<ReportLanguage> language) {
  BROWNOUT_ASSIGN(const auto opened, Opened::open(evidence));
  BROWNOUT_ASSIGN(const auto judged, rejudge_files(opened.directory(), std::nullopt));
  BROWNOUT_ASSIGN(const auto manifest, recorded_manifest(opened.directory()));
  return render_report(judged.plan, judged.evidence, judged.findings, judged.verdict, manifest, language);
}

}  // namespace brownout::bundle
