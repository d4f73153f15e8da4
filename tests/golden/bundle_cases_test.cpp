// SPDX-License-Identifier: MIT
// Recorded evidence and the verdict on it, kept: what a change of the rules changes shows in the diff.
#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include "../support/golden_cases.hpp"
#include "../support/verdict_support.hpp"
#include "brownout/text.hpp"

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;
using verdict::Outcome;

namespace {

const std::filesystem::path kCases = std::filesystem::path{BROWNOUT_SOURCE_DIR} / "tests/golden/cases";

// Of the operators' incident record, in its order.
struct Section { const char* english; const char* chinese; };
constexpr Section kSections[] = {{"What happened", "发生了什么"},
                                 {"Context", "背景"},
                                 {"Severity", "等级"},
                                 {"Injection method", "注入方式"},
                                 {"Degradation evidence", "退化证据"},
                                 {"Root cause by facts", "基于事实的根因"},
                                 {"Evidence bundle", "证据包"},
                                 {"Rules respected", "规则遵守声明"},
                                 {"Next step", "下一步"}};

std::vector<std::string> headings(const std::string& report, std::string_view level) {
  std::vector<std::string> found;
  std::istringstream lines{report};
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(level)) found.push_back(line.substr(level.size()));
  return found;
}

struct Judged { bundle::Judgement judgement; std::string verdict, report; };

Judged judge_case(const std::filesystem::path& directory, std::optional<bundle::ReportLanguage> language = std::nullopt) {
  auto judgement = value_of(bundle::rejudge(directory, std::nullopt));
  const nlohmann::json manifest{{"bundle", "IEB_" + directory.filename().string()}, {"run_id", kRunId}};
  auto report = bundle::render_report(judgement.plan, judgement.evidence, judgement.findings, judgement.verdict, manifest, language);
  auto verdict = verdict::to_json(judgement.verdict).dump(2) + "\n";
  return {std::move(judgement), std::move(verdict), std::move(report)};
}

}  // namespace

TEST_CASE("recorded cases get the verdict and the report that were kept, byte by byte") {
  for (const auto& golden : golden_cases()) {
    const auto directory = kCases / golden.name;
    INFO(directory << ": if the change is meant, tests/golden/renew-cases --verdicts");
    const auto judged = judge_case(directory);
    CHECK(judged.judgement.verdict.outcome == golden.outcome);
    CHECK(judged.judgement.verdict.reasons.front().starts_with(golden.first_reason));
    CHECK(judged.verdict == slurp(directory / "verdict.json"));
    CHECK(judged.report == slurp(directory / "report.md"));
  }
}

TEST_CASE("the seed's own drill: packaging and STOP hold, degradation telemetry is not proven, and the report says so") {
  const auto judged = judge_case(kCases / "seed");
  const auto& verdict = judged.judgement.verdict;
  CHECK(check_of(verdict, "bundle_complete").outcome == Outcome::kPass);
  CHECK(check_of(verdict, "stop_semantics").outcome == Outcome::kPass);
  CHECK(check_of(verdict, "telemetry").outcome == Outcome::kInconclusive);
  CHECK(check_of(verdict, "telemetry").rests_on == "pressure");
  CHECK(judged.judgement.evidence.snapshots.front().status == events::SnapshotStatus::kAbsent);
  CHECK(judged.judgement.evidence.snapshots.back().error_count == 0);
  const auto line = [&](std::string_view start) {
    const auto begin = judged.report.find(start);
    REQUIRE(begin != std::string::npos);
    return judged.report.substr(begin, judged.report.find('\n', begin) - begin);
  };
  CHECK_THAT(line("- Holds: "), ContainsSubstring("bundle_complete, stop_semantics"));
  CHECK_THAT(line("- Not proven: "), ContainsSubstring("pressure") && ContainsSubstring("telemetry, gate 1: error_count"));
  CHECK_THAT(judged.report, ContainsSubstring("**Verdict: NOT_MEASURABLE**"));
  // As the operators wrote by hand.
  CHECK_THAT(line("| Evidence packaging | "), ContainsSubstring("| pass | "));
  CHECK_THAT(line("| STOP semantics | "), ContainsSubstring("| pass | "));
  CHECK_THAT(line("| Degradation telemetry | "), ContainsSubstring("| not proven | "));
  CHECK_THAT(line("| Recovery | "), ContainsSubstring("| not checked | "));
  CHECK_THAT(line("| mode | "), ContainsSubstring("okx_demo_api"));
  CHECK_THAT(line("| missing_required_files_count | "), ContainsSubstring("| 0 |"));
  CHECK_THAT(line("The app's fingerprint was not there at the first look "), ContainsSubstring("fingerprint/snapshots.jsonl:1"));
}

TEST_CASE("a report has the sections of the operators' incident record, in their order, in both languages") {
  std::vector<std::string> english, bilingual;
  for (const auto& [en, zh] : kSections) {
    english.emplace_back(en);
    bilingual.push_back(fmt::format("{} / {}", en, zh));
  }
  for (const auto& golden : golden_cases()) {
    INFO(golden.name);
    const auto plain = judge_case(kCases / golden.name, bundle::ReportLanguage::kEnglish).report;
    const auto both = judge_case(kCases / golden.name, bundle::ReportLanguage::kChinese).report;
    CHECK(headings(plain, "## ") == english);
    CHECK(headings(both, "## ") == bilingual);
    CHECK(judge_case(kCases / golden.name).report == plain);
    CHECK(std::ranges::all_of(headings(both, "### "), [](const std::string& heading) { return heading.contains(" / "); }));
    CHECK(headings(both, "### ").size() == headings(plain, "### ").size());
    CHECK(visible_lines(both) == both);  // well-formed
  }
}

TEST_CASE("severity is by the rule that applies first, and next steps are those of the reasons") {
  struct Row { const char* name; const char* severity; const char* step; };
  for (const auto& [name, severity, step] :
       {Row{"seed", "**not determined**", "1. Put load on the app"}, Row{"recorded", "**none**", "Nothing to do: keep the bundle."},
        Row{"blind", "**high**", "1. Repair the app's error recording"}, Row{"mild", "**not determined**", "1. Raise"},
        Row{"left_over", "**critical**", "1. Remove what the detail lists"}}) {
    const auto report = judge_case(kCases / name).report;
    CHECK_THAT(report, ContainsSubstring(fmt::format("## Severity\n\n{}, of a drill", severity)));
    CHECK_THAT(report, ContainsSubstring(fmt::format("## Next step\n\n{}", step)));
  }
}

// tests/golden/renew-cases runs it.
TEST_CASE("renew the recorded cases", "[.renew]") {
  const auto* what = std::getenv("BROWNOUT_RENEW");
  REQUIRE(what != nullptr);
  for (const auto& golden : golden_cases()) {
    const auto directory = kCases / golden.name;
    if (std::string_view{what} == "evidence") {
      std::filesystem::remove_all(directory);
      std::filesystem::create_directories(directory);
      write_evidence(directory, golden.record());
      std::filesystem::remove(directory / "chain.jsonl"); // its times are those of the renewal
      done(bundle::stage_plan(value_of(plan::compile(value_of(drill::parse(golden.drill, "drill.yaml")), 7)), directory));
    }
    const auto judged = judge_case(directory);
    spill(directory / "verdict.json", judged.verdict);
    spill(directory / "report.md", judged.report);
    INFO(golden.name << ": " << judged.judgement.verdict.reasons.front());
    CHECK(judged.judgement.verdict.outcome == golden.outcome);
  }
}
