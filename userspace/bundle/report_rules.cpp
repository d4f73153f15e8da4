// SPDX-License-Identifier: MIT
// What ran, whether its raw evidence is whole, and whether the drill left alone what it had to.
#include <fmt/format.h>

#include "report_headings.hpp"
#include "report_sections.hpp"
#include "report_text.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;

// The manifest may be somebody else's until it is held against the records.
const json* part(const ReportInputs& inputs, const char* key) {
  const auto found = inputs.manifest.find(key);
  return found == inputs.manifest.end() || !found->is_structured() ? nullptr : &*found;
}

std::string field(const json& object, const char* key) {
  return object.is_object() && object.contains(key) ? cell(json_text(object.at(key))) : std::string{"-"};
}

std::string list_of(const json& object, const char* key) {
  std::string text;
  if (object.is_object() && object.contains(key) && object.at(key).is_array())
    for (const auto& item : object.at(key))
      text += (text.empty() ? "" : "; ") +
              (item.is_object() ? fmt::format("{} ({})", field(item, "value"), field(item, "source")) : cell(json_text(item)));
  return text;
}

}  // namespace

std::string provenance_section(const ReportInputs& inputs) {
  const auto* facts = part(inputs, "audit");
  if (facts == nullptr) return {};
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, fact] : facts->items()) {
    const auto also = list_of(fact, "also"), tried = list_of(fact, "tried");
    rows.push_back({cell(name), field(fact, "value"), tried.empty() ? field(fact, "source") : "tried: " + tried,
                    also.empty() ? "-" : also});
  }
  return heading(Heading::kWhatRan, inputs.language) +
         "As the host knows it, whatever the application's manifest says; that file is left as it was.\n\n" +
         table({"fact", "value", "source", "others say"}, rows);
}

std::string shards_section(const ReportInputs& inputs) {
  const auto* shards = part(inputs, "shards");
  if (shards == nullptr || !shards->is_object() || shards->value("indexes", json(0)) == 0) return {};
  std::string text = heading(Heading::kShardIndexes, inputs.language) +
                     fmt::format("{} indexes name {} shards; {} are as their index says, {} mismatches.\n",
                                 field(*shards, "indexes"), field(*shards, "shards"), field(*shards, "verified"),
                                 field(*shards, "mismatches_count"));
  for (const auto& mismatch : shards->value("mismatches", json::array()))
    text += fmt::format("- {}: {}\n", field(mismatch, "shard"), field(mismatch, "problem"));
  return text;
}

std::string rules_section(const ReportInputs& inputs) {
  const auto* rules = part(inputs, "rules");
  const auto title = heading(Heading::kRulesRespected, inputs.language);
  if (rules == nullptr) return title + "Not checked: no manifest says how the host was before and after.\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& rule : *rules) {
    const auto refs = rule.is_object() ? rule.value("evidence_refs", json::array()) : json::array();
    rows.push_back({field(rule, "outcome"), field(rule, "rule"), field(rule, "detail"),
                    !refs.is_array() || refs.empty() ? "-" : fmt::format("{}:{}", field(refs[0], "file"), field(refs[0], "line_start"))});
  }
  return title +
         "Each by comparison; what was not compared is not claimed. What was done to the host: `actions.jsonl`.\n\n" +
         table({"outcome", "rule", "detail", "evidence"}, rows);
}

}  // namespace brownout::bundle
