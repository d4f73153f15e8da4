// SPDX-License-Identifier: MIT
// Every check with its reason, and of what and by what the bundle is.
#include <array>
#include <utility>

#include <fmt/format.h>

#include "html_sections.hpp"
#include "report_text.hpp"
#include "report_words.hpp"

namespace brownout::bundle {
namespace {

constexpr std::array<std::pair<const char*, const char*>, 17> kEnvironment{{
    {"run", "/run_id"},
    {"drill's sha256", "/drill_sha256"},
    {"target", "/target/name"},
    {"container", "/target/container_id"},
    {"image", "/target/image"},
    {"image digest", "/target/image_digest"},
    {"host", "/host/hostname"},
    {"kernel", "/host/kernel_release"},
    {"machine", "/host/machine"},
    {"interface", "/interface/host_name"},
    {"operator", "/operator/user"},
    {"brownout", "/tool/version"},
    {"commit", "/tool/commit"},
    {"executable's sha256", "/tool/binary_sha256"},
    {"sealed", "/sealed_utc"},
    {"how it ended", "/ending/ending"},
    {"detail", "/ending/detail"},
}};

std::string or_dash(const std::string& text) { return text.empty() ? "-" : shown(text); }

std::string why(const verdict::Check& check) {
  std::string text = or_dash(check.detail);
  if (check.outcome != verdict::Outcome::kPass)
    text += fmt::format(" Reason: {}: {} What to do: {}", verdict::name(check.reason), verdict::meaning(check.reason),
                        verdict::advice(check.reason));
  return shown(text);
}

}  // namespace

void add_checks(const ReportInputs& inputs, HtmlTables& tables) {
  HtmlTable table{"checks", "Every check, by rules fixed before the drill", {"outcome", "check", "measured", "expected", "why"}};
  for (const auto& check : inputs.verdict.checks)
    table.add({verdict::word(check.outcome), shown(check.name), or_dash(check.measured), or_dash(check.expected), why(check)});
  tables.push_back(std::move(table));
}

void add_environment(const ReportInputs& inputs, HtmlTables& tables) {
  HtmlTable environment{"environment", "What ran where, by whom", {"what", "value"}};
  for (const auto& [name, pointer] : kEnvironment)
    if (auto text = manifest_text(inputs.manifest, pointer); text != "-" && !text.empty())
      environment.add({name, shown(text)});
  environment.when_empty("Nothing was sealed here: there is no manifest.");
  tables.push_back(std::move(environment));
  HtmlTable limits{"environment", "What could not be observed", {"what"}};
  limits.when_empty("Nothing that was asked for.");
  for (const auto& item : inputs.evidence.not_observed) limits.add({shown(item)});
  for (const auto& item : names_not_known(inputs.evidence)) limits.add({item});
  tables.push_back(std::move(limits));
}

}  // namespace brownout::bundle
