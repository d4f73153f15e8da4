// SPDX-License-Identifier: MIT
// JUnit's XML, as CI systems read it. It has no inconclusive: a check that could not be measured is an error, as a
// skipped one counts as good almost everywhere.
#include <algorithm>

#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "brownout/json_fields.hpp"
#include "brownout/text.hpp"
#include "export_formats.hpp"

namespace brownout::bundle {
namespace {

using verdict::Outcome;

// Within an attribute or an element. What XML 1.0 cannot hold in any spelling is '?'.
std::string xml(std::string_view text) {
  const auto clean = visible_lines(text);
  std::string escaped;
  for (std::string_view rest = clean; !rest.empty();) {
    const auto character = *first_character(rest);
    switch (character.point) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&apos;"; break;
      case '\n': escaped += "&#10;"; break;
      case 0xfffe:
      case 0xffff: escaped += '?'; break;
      default: escaped += rest.substr(0, character.length);
    }
    rest.remove_prefix(character.length);
  }
  return escaped;
}

std::string property(std::string_view name, std::string_view value) {
  return fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", xml(name), xml(value));
}

struct Case {
  std::string name, sort, detail, note;
  Outcome outcome = Outcome::kError;
  std::string reason;
};

std::string trouble(const Case& one) {
  if (one.outcome == Outcome::kPass) return {};
  if (one.outcome == Outcome::kFail)
    return fmt::format("      <failure type=\"{}\" message=\"{}\"/>\n", xml(one.reason), xml(one.detail));
  return fmt::format("      <error type=\"{}\" message=\"{}\"/>\n", verdict::name(one.outcome), xml(one.note));
}

std::string render(const std::string& drill, const Case& one) {
  return fmt::format(
      "    <testcase classname=\"brownout.{}.{}\" name=\"{}\" time=\"0\">\n{}      <system-out>{}</system-out>\n"
      "    </testcase>\n",
      xml(drill), xml(one.sort), xml(one.name), trouble(one), xml(one.detail));
}

std::string_view sort_name(verdict::CheckSort sort) {
  switch (sort) {
    case verdict::CheckSort::kPrerequisite: return "prerequisite";
    case verdict::CheckSort::kClaim: return "claim";
    case verdict::CheckSort::kCleanup: return "cleanup";
  }
  return "claim";
}

// The verdict is a case too: it can be NOT_MEASURABLE with no check that is.
std::vector<Case> cases_of(const verdict::Verdict& verdict) {
  const auto why = verdict.reasons.empty() ? std::string{} : verdict.reasons.front();
  std::vector<Case> cases{{"verdict", "verdict", why, note_on(verdict), verdict.outcome, "FAIL"}};
  for (const auto& check : verdict.checks)
    cases.push_back({check.name, std::string{sort_name(check.sort)},
                     fmt::format("measured: {}\nexpected: {}\n{}", check.measured, check.expected, check.detail),
                     note_on(check), check.outcome, std::string{verdict::name(check.reason)}});
  return cases;
}

std::string properties(const ExportInputs& inputs) {
  const auto& judgement = inputs.judgement;
  std::string text = "    <properties>\n";
  text += property("verdict", verdict::name(judgement.verdict.outcome));
  if (const auto note = note_on(judgement.verdict); !note.empty()) text += property("note", note);
  text += property("scope", judgement.verdict.scope);
  text += property("completeness", judgement.verdict.completeness);
  text += property("drill_sha256", judgement.drill_sha256);
  for (const auto& subject : inputs.subjects) text += property("sha256 of " + subject.name, subject.sha256);
  for (const char* name : {"bundle", "run_id"})
    if (const auto value = text_at(inputs.manifest, fmt::format("/{}", name).c_str()); !value.empty())
      text += property(name, value);
  return text + "    </properties>\n";
}

}  // namespace

std::string export_junit(const ExportInputs& inputs) {
  const auto& judgement = inputs.judgement;
  const auto cases = cases_of(judgement.verdict);
  const auto failures = std::ranges::count(cases, Outcome::kFail, &Case::outcome);
  const auto passed = std::ranges::count(cases, Outcome::kPass, &Case::outcome);
  const auto span = span_of(judgement.evidence);
  const auto counts =
      fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"{:.3f}\"", cases.size(), failures,
                  static_cast<std::ptrdiff_t>(cases.size()) - failures - passed, seconds(span.end_ns - span.start_ns));
  const auto& drill = judgement.plan.drill.name;
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  text +=
      fmt::format("<testsuites name=\"brownout\" {}>\n  <testsuite name=\"{}\" {} timestamp=\"{}\" hostname=\"{}\">\n",
                  counts, xml(drill), counts, format_utc(span.start_ns).substr(0, 19),
                  xml(text_at(inputs.manifest, "/host/hostname")));
  text += properties(inputs);
  for (const auto& one : cases) text += render(drill, one);
  return text + "  </testsuite>\n</testsuites>\n";
}

}  // namespace brownout::bundle
