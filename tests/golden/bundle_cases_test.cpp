// SPDX-License-Identifier: MIT
// Recorded evidence and the verdict on it, kept: what a change of the rules changes shows in the diff.
#include <cstdlib>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/golden_cases.hpp"
#include "../support/verdict_support.hpp"

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;
using verdict::Outcome;

namespace {

const std::filesystem::path kCases = std::filesystem::path{BROWNOUT_SOURCE_DIR} / "tests/golden/cases";

struct Judged { bundle::Judgement judgement; std::string verdict, report; };

Judged judge_case(const std::filesystem::path& directory) {
  auto judgement = value_of(bundle::rejudge(directory, std::nullopt));
  const nlohmann::json manifest{{"bundle", "IEB_" + directory.filename().string()}, {"run_id", kRunId}};
  auto report = bundle::render_report(judgement.plan, judgement.evidence, judgement.findings, judgement.verdict, manifest);
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
