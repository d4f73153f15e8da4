// SPDX-License-Identifier: MIT
// The sections of report.md, in their order: those of the operators' incident record, and what stands within each. All
// are deterministic: `verify` renders them again and compares.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "brownout/bundle.hpp"

namespace brownout::bundle {

struct ReportInputs {
  const plan::Plan& plan;
  const events::Evidence& evidence;
  const findings::Findings& findings;
  const verdict::Verdict& verdict;
  const nlohmann::json& manifest;
  ReportLanguage language = ReportLanguage::kEnglish;
};

std::string what_happened_section(const ReportInputs& inputs);

std::string context_section(const ReportInputs& inputs);
std::string timeline_section(const ReportInputs& inputs);
std::string provenance_section(const ReportInputs& inputs); // empty: the manifest says nothing of what ran

std::string severity_section(const ReportInputs& inputs);

std::string injection_method_section(const ReportInputs& inputs);
std::string injection_section(const ReportInputs& inputs);

std::string degradation_section(const ReportInputs& inputs);
std::string figures_section(const ReportInputs& inputs);
std::string destinations_section(const ReportInputs& inputs);
std::string edges_section(const ReportInputs& inputs);
// Empty where the drill asked for no packets.
std::string capture_section(const ReportInputs& inputs);
std::string failures_section(const ReportInputs& inputs);
std::string lookups_section(const ReportInputs& inputs);
std::string app_errors_section(const ReportInputs& inputs);
std::string ledger_section(const ReportInputs& inputs);
std::string checks_section(const ReportInputs& inputs);

std::string root_cause_section(const ReportInputs& inputs);
// What names may be missing, and why; empty: none.
std::vector<std::string> names_not_known(const events::Evidence& evidence);

std::string evidence_bundle_section(const ReportInputs& inputs);
std::string shards_section(const ReportInputs& inputs); // empty: there are none

std::string rules_section(const ReportInputs& inputs);
std::string next_step_section(const ReportInputs& inputs);

// Lines of the timeline: of this kind, and with this phase where one is named.
std::vector<events::Ref> timeline_refs(const events::Evidence& evidence, std::string_view kind, std::string_view phase = {});
// Checks of these families (docs/verdict.md), in the verdict's order.
std::vector<const verdict::Check*> checks_of(const verdict::Verdict& verdict, const std::vector<std::string_view>& families);

}  // namespace brownout::bundle
