// SPDX-License-Identifier: MIT
// A thousand generated drills of which it is known what may be said: never a false PASS, hardly a false FAIL.
#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "../support/controls.hpp"
#include "../support/verdict_support.hpp"

namespace bundle_controls_test {

using namespace brownout;
using test::Control;
using test::ControlClass;
using verdict::Outcome;

namespace {

constexpr int kEach = 84;
static_assert(kEach * static_cast<int>(ControlClass::kCount) >= 1000);
constexpr double kFalseFails = 0.01;

verdict::Verdict judged(const Control& control) {
  auto builder = control.builder;
  const auto evidence = builder.build();
  const auto plan = control.plan();
  return verdict::judge(plan, evidence, test::derive(plan, evidence));
}

struct Tally {
  std::map<Outcome, int> outcomes;
  int may_not_fail = 0;
  std::vector<std::string> false_fails;
};

Tally judge_class(ControlClass of) {
  Tally tally;
  for (int seed = 0; seed < kEach; ++seed) {
    const auto control = test::ControlGenerator{of, static_cast<std::uint64_t>(seed)}.generate();
    const auto verdict = judged(control);
    ++tally.outcomes[verdict.outcome];
    if (control.fail_is_false) ++tally.may_not_fail;
    INFO(test::kControlNames.at(static_cast<std::size_t>(of)) << ", seed " << seed << "\n"
         << verdict::render_table(verdict, false) << (verdict.reasons.empty() ? "" : verdict.reasons.front()));
    CHECK_FALSE((control.pass_is_false && verdict.outcome == Outcome::kPass));
    CHECK(verdict.outcome != Outcome::kError);
    if (control.fail_is_false && verdict.outcome == Outcome::kFail)
      tally.false_fails.push_back(fmt::format("{}, seed {}: {}", test::kControlNames.at(static_cast<std::size_t>(of)), seed,
                                              verdict.reasons.front()));
  }
  return tally;
}

std::map<ControlClass, Tally> judge_classes(const std::vector<ControlClass>& classes) {
  std::map<ControlClass, Tally> tallies;
  std::vector<std::string> false_fails;
  int may_not_fail = 0;
  for (const auto of : classes) {
    tallies[of] = judge_class(of);
    std::ranges::copy(tallies[of].false_fails, std::back_inserter(false_fails));
    may_not_fail += tallies[of].may_not_fail;
  }
  INFO(fmt::format("{}", fmt::join(false_fails, "\n")));
  CHECK(static_cast<double>(false_fails.size()) <= kFalseFails * may_not_fail);
  return tallies;
}

}  // namespace

TEST_CASE("controls in which nothing can be proven: neither PASS nor FAIL") {
  const auto tallies = judge_classes({ControlClass::kNoFault, ControlClass::kUnrelatedOutage, ControlClass::kOtherFlows,
                                      ControlClass::kMild});
  for (const auto& [of, tally] : tallies) CHECK(tally.outcomes.at(Outcome::kInconclusive) == kEach);
}

TEST_CASE("controls whose evidence is broken: neither PASS nor FAIL") {
  const auto tallies = judge_classes({ControlClass::kClockStep, ControlClass::kLossyTrace, ControlClass::kRestart,
                                      ControlClass::kPartial});
  for (const auto& [of, tally] : tallies) CHECK(tally.outcomes.at(Outcome::kInconclusive) == kEach);
}

// A model that says nothing would be right, and useless: these are to be told.
TEST_CASE("controls that are to pass or to fail do so") {
  auto tallies = judge_classes({ControlClass::kRecorded, ControlClass::kCopes, ControlClass::kBlind,
                                ControlClass::kDoesNotCope});
  const double most = 0.95 * kEach;
  CHECK(tallies[ControlClass::kRecorded].outcomes[Outcome::kPass] >= most);
  CHECK(tallies[ControlClass::kCopes].outcomes[Outcome::kPass] >= most);
  CHECK(tallies[ControlClass::kBlind].outcomes[Outcome::kFail] >= most);
  // Three in ten of them have foreign errors, too, which can explain what is beyond a limit by a hair.
  CHECK(tallies[ControlClass::kDoesNotCope].outcomes[Outcome::kFail] >= most - 0.3 * kEach);
}

TEST_CASE("controls written to files and judged from there get the same verdict") {
  for (std::uint8_t i = 0; i < static_cast<std::uint8_t>(ControlClass::kCount); ++i) {
    auto control = test::ControlGenerator{static_cast<ControlClass>(i), 1}.generate();
    INFO(test::kControlNames.at(i));
    const test::ScratchDirectory directory;
    test::write_evidence(directory.path(), control.builder.build());
    test::done(bundle::stage_plan(control.plan(), directory.path()));
    const auto again = bundle::rejudge(directory.path(), std::nullopt);
    REQUIRE(again);
    const auto here = judged(control);
    CHECK(again->verdict.outcome == here.outcome);
    REQUIRE(again->verdict.checks.size() == here.checks.size());
    for (std::size_t check = 0; check < here.checks.size(); ++check) {
      INFO(here.checks[check].name);
      CHECK(again->verdict.checks[check].reason == here.checks[check].reason);
      CHECK(again->verdict.checks[check].detail == here.checks[check].detail);
    }
  }
}

}  // namespace bundle_controls_test
