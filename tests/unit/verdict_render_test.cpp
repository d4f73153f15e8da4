// SPDX-License-Identifier: MIT
#include <sstream>

#include "../support/verdict_support.hpp"

namespace verdict_render_test {

using namespace brownout;
using verdict::Outcome;

TEST_CASE("the table is aligned, and colour changes nothing else") {
  const auto verdict = test::judge(test::EvidenceBuilder{}.recorded(0));
  const auto plain = verdict::render_table(verdict, false);
  std::istringstream lines(plain);
  std::string line;
  std::getline(lines, line);
  const auto column = line.find("check");
  REQUIRE(column != std::string::npos);
  for (const auto& check : verdict.checks) {
    REQUIRE(std::getline(lines, line));
    CHECK(line.substr(column, check.name.size()) == check.name);
    CHECK(line.ends_with(verdict::name(check.reason)));
  }
  auto coloured = verdict::render_table(verdict, true);
  CHECK(coloured.find("\x1b[31m") != std::string::npos);
  for (std::size_t at = coloured.find('\x1b'); at != std::string::npos; at = coloured.find('\x1b'))
    coloured.erase(at, coloured.find('m', at) - at + 1);
  CHECK(coloured == plain);
}

TEST_CASE("json has everything that a verdict is compared by") {
  const auto verdict = test::judge(test::EvidenceBuilder{}.recorded(0));
  const auto json = verdict::to_json(verdict);
  CHECK(json["verdict"] == "FAIL");
  CHECK(json["scope"] == "app");
  CHECK(json["reasons"].size() == verdict.reasons.size());
  REQUIRE(json["checks"].size() == verdict.checks.size());
  for (const auto& check : json["checks"])
    for (const auto* key : {"name", "sort", "outcome", "reason", "detail", "measured", "expected", "n", "evidence_refs"})
      CHECK(check.contains(key));
}

TEST_CASE("outcomes have the words and exit codes of the readme") {
  CHECK(verdict::name(Outcome::kPass) == "PASS");
  CHECK(verdict::name(Outcome::kInconclusive) == "NOT_MEASURABLE");
  CHECK(verdict::exit_code(Outcome::kPass) == ExitCode::kPass);
  CHECK(verdict::exit_code(Outcome::kFail) == ExitCode::kFail);
  CHECK(verdict::exit_code(Outcome::kInconclusive) == ExitCode::kNotMeasurable);
  CHECK(verdict::exit_code(Outcome::kError) == ExitCode::kError);
}

}  // namespace verdict_render_test
