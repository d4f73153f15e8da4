// SPDX-License-Identifier: MIT
// A thousand generated drills of which it is known what may be said: never a false PASS, hardly a false FAIL.
#include <map>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "../support/controls.hpp"
#include "../support/verdict_support.hpp"

using namespace brownout;
using test::Control;
using test::ControlClass;
using verdict::Outcome;

namespace {

constexpr int kEach = 84;  // 12 classes
constexpr double kFalseFails = 0.01;

verdict::Verdict judged(const Control& control) {
  auto builder = control.builder;
  const auto evidence = builder.build();
  const auto plan = control.plan();
  return verdict::judge(plan, evidence, findings::derive(plan, evidence));
}

struct Tally { std::map<Outcome, int> outcomes; int false_fails = 0; };

Tally judge_class(ControlClass of) {
  Tally tally;
  for (int seed = 0; seed < kEach; ++seed) {
    const auto control = test::ControlGenerator{of, static_cast<std::uint64_t>(seed)}.generate();
    const auto verdict = judged(control);
    ++tally.outcomes[verdict.outcome];
    INFO(test::kControlNames.at(static_cast<std::size_t>(of)) << ", seed " << seed << "\n"
         << verdict::render_table(verdict, false) << (verdict.reasons.empty() ? "" : verdict.reasons.front()));
    CHECK_FALSE((control.pass_is_false && verdict.outcome == Outcome::kPass));
    CHECK(verdict.outcome != Outcome::kError);
    if (control.fail_is_false && verdict.outcome == Outcome::kFail) {
      ++tally.false_fails;
      UNSCOPED_INFO("false FAIL: " << verdict.reasons.front());
    }
  }
  return tally;
}

}  // namespace

TEST_CASE("a thousand controls: no false PASS, at most one false FAIL in a hundred") {
  int false_fails = 0, all = 0;
  std::map<ControlClass, Tally> tallies;
  for (std::uint8_t i = 0; i < static_cast<std::uint8_t>(ControlClass::kCount); ++i) {
    const auto of = static_cast<ControlClass>(i);
    tallies[of] = judge_class(of);
    false_fails += tallies[of].false_fails;
    all += kEach;
    CHECK(tallies[of].false_fails == 0);
  }
  CHECK(all >= 1000);
  CHECK(false_fails <= kFalseFails * all);
  // A model that says nothing would be right, and useless.
  const auto most = static_cast<int>(0.95 * kEach);
  CHECK(tallies[ControlClass::kRecorded].outcomes[Outcome::kPass] >= most);
  CHECK(tallies[ControlClass::kCopes].outcomes[Outcome::kPass] >= most);
  CHECK(tallies[ControlClass::kBlind].outcomes[Outcome::kFail] >= most);
  CHECK(tallies[ControlClass::kDoesNotCope].outcomes[Outcome::kFail] >= most);
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
