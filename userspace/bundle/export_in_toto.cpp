// SPDX-License-Identifier: MIT
// An in-toto Statement with a test result, unsigned: https://in-toto.io/attestation/test-result/v0.1. It has no
// inconclusive: the result is FAILED, `warnedTests` names what could not be measured, and the annotations of the rules
// say so.
#include <algorithm>

#include "brownout/digest.hpp"
#include "brownout/json_fields.hpp"
#include "document.hpp"
#include "export_formats.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;
using verdict::Outcome;

json descriptor(const Subject& subject) { return {{"name", subject.name}, {"digest", {{"sha256", subject.sha256}}}}; }

// What was tested, where the runtime says which image it is.
void add_image(const ExportInputs& inputs, json& subjects) {
  static constexpr std::string_view kAlgorithm = "sha256:";
  static constexpr std::size_t kDigits = 64;
  const auto digest = text_at(inputs.manifest, "/target/image_digest");
  const auto at = digest.rfind(kAlgorithm);
  if (at == std::string::npos || digest.size() != at + kAlgorithm.size() + kDigits) return;
  subjects.push_back(
      descriptor({text_at(inputs.manifest, "/target/image"), digest.substr(at + kAlgorithm.size())}));
}

json tests_with(const verdict::Verdict& verdict, std::initializer_list<Outcome> outcomes) {
  json names = json::array();
  for (const auto& check : verdict.checks)
    if (std::ranges::find(outcomes, check.outcome) != outcomes.end()) names.push_back(check.name);
  return names;
}

json configuration(const ExportInputs& inputs) {
  json rules = json::array();
  for (const auto& rule : inputs.rules) {
    auto one = descriptor(rule);
    one["annotations"] = {{"brownout.verdict", verdict::name(inputs.judgement.verdict.outcome)}};
    if (const auto note = note_on(inputs.judgement.verdict); !note.empty()) one["annotations"]["brownout.note"] = note;
    rules.push_back(std::move(one));
  }
  return rules;
}

}  // namespace

std::string export_in_toto(const ExportInputs& inputs) {
  const auto& verdict = inputs.judgement.verdict;
  json subjects = json::array();
  for (const auto& subject : inputs.subjects) subjects.push_back(descriptor(subject));
  add_image(inputs, subjects);
  return document({{"_type", "https://in-toto.io/Statement/v1"},
                   {"subject", std::move(subjects)},
                   {"predicateType", "https://in-toto.io/attestation/test-result/v0.1"},
                   {"predicate",
                    {{"result", verdict.outcome == Outcome::kPass ? "PASSED" : "FAILED"},
                     {"configuration", configuration(inputs)},
                     {"passedTests", tests_with(verdict, {Outcome::kPass})},
                     {"warnedTests", tests_with(verdict, {Outcome::kInconclusive})},
                     {"failedTests", tests_with(verdict, {Outcome::kFail, Outcome::kError})}}}});
}

}  // namespace brownout::bundle
