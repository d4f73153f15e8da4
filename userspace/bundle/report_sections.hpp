// SPDX-License-Identifier: MIT
// The sections of report.md, in their order. Each is deterministic: `verify` renders them again and compares.
#pragma once

#include <string>
#include <vector>

#include "brownout/bundle.hpp"

namespace brownout::bundle {

struct ReportInputs {
  const plan::Plan& plan;
  const events::Evidence& evidence;
  const findings::Findings& findings;
  const verdict::Verdict& verdict;
  const nlohmann::json& manifest;
};

std::string summary_section(const ReportInputs& inputs);
std::string checks_section(const ReportInputs& inputs);
std::string timeline_section(const ReportInputs& inputs);
std::string figures_section(const ReportInputs& inputs);
std::string destinations_section(const ReportInputs& inputs);
std::string edges_section(const ReportInputs& inputs);
std::string ledger_section(const ReportInputs& inputs);
std::string injection_section(const ReportInputs& inputs);
// Empty where the drill asked for no packets.
std::string capture_section(const ReportInputs& inputs);
std::string failures_section(const ReportInputs& inputs);
std::string lookups_section(const ReportInputs& inputs);
std::string app_errors_section(const ReportInputs& inputs);
// What names may be missing, and why; empty: none.
std::vector<std::string> names_not_known(const events::Evidence& evidence);
// What the manifest says of what ran, of the rules, and of shards; empty where it says nothing.
std::string provenance_section(const ReportInputs& inputs);
std::string rules_section(const ReportInputs& inputs);
std::string shards_section(const ReportInputs& inputs);
std::string limits_section(const ReportInputs& inputs);
std::string verification_section(const ReportInputs& inputs);

}  // namespace brownout::bundle
