// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "html_page.hpp"
#include "html_sections.hpp"
#include "report_text.hpp"
#include "report_words.hpp"

namespace brownout::bundle {
namespace {

using Json = nlohmann::ordered_json;

// "4.0 -> 3.0 -> 4.0": of the phases that there were.
template <typename Text>
std::string through_phases(const findings::Findings& findings, const Text& text_of) {
  std::string text;
  for (const std::uint32_t phase : {BROWNOUT_PHASE_BASELINE, BROWNOUT_PHASE_INJECT, BROWNOUT_PHASE_RECOVERY})
    if (const auto found = findings.calls.find(phase); found != findings.calls.end())
      text += (text.empty() ? "" : " → ") + text_of(found->second);
  return text;
}

// What a person looks for first; each with what it is of.
Json headline(const ReportInputs& inputs) {
  const auto& findings = inputs.findings;
  Json all = Json::array();
  const auto say = [&all](std::string_view label, std::string value) {
    all.push_back({{"label", label}, {"value", std::move(value)}});
  };
  say("calls that failed in the window", fmt::to_string(findings.failures_in_window));
  say("of them with injection on their own flow", fmt::to_string(findings.failures_attributable));
  if (inputs.plan.drill.app) say("of those recorded by the app", fmt::to_string(findings.failures_recorded));
  say("median latency in ms, before → during → after",
      through_phases(findings, [](const findings::CallStats& calls) {
        return calls.p50_ms ? fmt::format("{:.1f}", *calls.p50_ms) : "-";
      }));
  say("answered calls per second, before → during → after",
      through_phases(findings, [](const findings::CallStats& calls) {
        return fmt::format("{:.1f}", calls.completed_per_second());
      }));
  return all;
}

Json reasons(const verdict::Verdict& verdict) {
  Json all = Json::array();
  for (const auto& reason : verdict.reasons) all.push_back(shown(reason));
  return all;
}

std::string_view phrase(verdict::Outcome outcome) {
  switch (outcome) {
    case verdict::Outcome::kPass: return "The fault took effect, and what it broke was recorded as the drill demands.";
    case verdict::Outcome::kInconclusive: return "Nothing was proven either way.";
    case verdict::Outcome::kFail: return "Proven: something is not as the drill demands.";
    case verdict::Outcome::kError: return "The drill could not run, or not be cleaned up.";
  }
  return {};
}

}  // namespace

void HtmlTable::add(Json row) {
  if (rows_.size() < kMostHtmlRows) rows_.push_back(std::move(row));
  else ++left_out_;
}

Json HtmlTable::json() const {
  return {{"section", section_}, {"caption", caption_}, {"note", note_}, {"when_empty", when_empty_}, {"columns", columns_},
          {"moments", moments_}, {"rows", rows_}, {"left_out", left_out_}};
}

Json html_data(const ReportInputs& inputs) {
  const Axis axis{inputs.evidence};
  HtmlTables tables;
  add_moments(inputs, axis, tables);
  add_latency(inputs, tables);
  add_injection(inputs, tables);
  add_checks(inputs, tables);
  add_environment(inputs, tables);
  Json listed = Json::array();
  for (const auto& table : tables) listed.push_back(table.json());
  const auto& verdict = inputs.verdict;
  return {{"bundle", shown(manifest_text(inputs.manifest, "/bundle"))},
          {"drill", inputs.plan.drill.name},
          {"verdict", verdict::name(verdict.outcome)},
          {"phrase", phrase(verdict.outcome)},
          {"scope", verdict.scope},
          {"completeness", verdict.completeness},
          {"partial", inputs.evidence.recovered},
          {"reasons", reasons(verdict)},
          {"headline", headline(inputs)},
          {"axis", html_axis(inputs, axis)},
          {"series", html_series(inputs, axis)},
          {"tables", listed}};
}

}  // namespace brownout::bundle
