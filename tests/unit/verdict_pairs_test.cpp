// SPDX-License-Identifier: MIT
// Every pair (prerequisite, claim): a claim stands on all it rests on, and on nothing else.
#include <algorithm>
#include <map>
#include <set>

#include "../support/verdict_support.hpp"

namespace verdict_pairs_test {

using namespace brownout;
using test::EvidenceBuilder;
using verdict::Check;
using verdict::CheckSort;
using verdict::Outcome;
using verdict::Reason;

namespace {

const std::vector<std::string> kPrerequisites{"pressure",       "baseline", "fault_effective", "window_as_planned",
                                              "trace_complete", "clock",    "counters",        "bundle_complete"};

std::string full_name(std::string_view family) {
  if (family == "gate") return "gate 2: error_events timeout";
  if (family == "fault_effective") return "fault_effective: fault 1 loss egress";
  return std::string(family);
}

bool rests_on(std::string_view claim, std::string_view prerequisite) {
  const auto& table = verdict::dependencies();
  const auto found = std::ranges::find(table, claim, &verdict::Dependency::claim);
  REQUIRE(found != table.end());
  return std::ranges::count(found->prerequisites, prerequisite) > 0;
}

Check prerequisite(const std::string& family, Outcome outcome) {
  return {.name = full_name(family), .sort = CheckSort::kPrerequisite, .outcome = outcome,
          .reason = outcome == Outcome::kPass ? Reason::kOk : Reason::kClockStep};
}

// All prerequisites hold but one; the claim as it would be by itself.
Check concluded(std::string_view claim, Outcome by_itself, const std::string& broken, Outcome outcome) {
  std::vector<Check> checks;
  for (const auto& name : kPrerequisites)
    checks.push_back(prerequisite(name, name == broken ? outcome : Outcome::kPass));
  checks.push_back({.name = full_name(claim), .sort = CheckSort::kClaim, .outcome = by_itself,
                    .reason = by_itself == Outcome::kPass ? Reason::kOk : Reason::kGateNotMet});
  const auto verdict = verdict::conclude(std::move(checks));
  REQUIRE(verdict.outcome != Outcome::kPass);
  return verdict.checks.back();
}

struct Break { std::string family; Reason reason; std::function<void(EvidenceBuilder&)> apply; };

std::vector<Break> breaks() {
  const auto changed = [](auto change) {
    return [change](EvidenceBuilder& builder) { builder.then(change); };
  };
  return {
      {"pressure", Reason::kCallsUnreliable, changed([](events::Evidence& evidence) {
         for (auto& snapshot : evidence.snapshots) *snapshot.api_calls *= 10;
       })},
      {"baseline", Reason::kBaselineTooSmall, changed([](events::Evidence& evidence) {
         evidence.windows[BROWNOUT_PHASE_BASELINE].complete = false;
       })},
      {"fault_effective", Reason::kWitnessDisagrees, [](EvidenceBuilder& builder) { builder.really_drops(false); }},
      {"window_as_planned", Reason::kWindowTruncated, changed([](events::Evidence& evidence) {
         evidence.windows[BROWNOUT_PHASE_INJECT].complete = false;
         evidence.ending = events::Ending::kSignal;
       })},
      {"trace_complete", Reason::kTraceIncomplete, changed([](events::Evidence& evidence) {
         evidence.counters.back().trace.failures_lost = 1;
       })},
      {"clock", Reason::kClockStep, changed([](events::Evidence& evidence) {
         evidence.clocks.back().realtime_offset_ns += 2 * test::kSecond;
       })},
      {"counters", Reason::kSamplingGap, changed([](events::Evidence& evidence) {
         evidence.longest_sampling_gap_ns = 2 * test::kSecond;
       })},
      {"bundle_complete", Reason::kRequiredFilesMissing, changed([](events::Evidence& evidence) {
         evidence.run_files->missing_required = {"run_manifest.json"};
       })},
  };
}

// One drill in which every claim that can fail would fail, or all would pass.
EvidenceBuilder whole(bool passing) {
  EvidenceBuilder builder;
  if (!passing) builder.recorded(0).recovery_rate(10);
  return builder;
}

}  // namespace

TEST_CASE("every pair: a broken prerequisite makes the claim inconclusive, passing or failing") {
  for (const auto& [claim, prerequisites] : verdict::dependencies()) {
    for (const auto& name : kPrerequisites) {
      for (const auto by_itself : {Outcome::kPass, Outcome::kFail}) {
        INFO(claim << " and " << name << ", by itself " << verdict::name(by_itself));
        const auto check = concluded(claim, by_itself, name, Outcome::kInconclusive);
        if (rests_on(claim, name)) {
          CHECK(check.outcome == Outcome::kInconclusive);
          CHECK(check.reason == Reason::kClockStep);
          CHECK(check.rests_on == full_name(name));
        } else {
          CHECK(check.outcome == by_itself);
          CHECK(check.rests_on.empty());
        }
      }
    }
  }
}

TEST_CASE("every pair: a prerequisite in error makes the claim an error") {
  for (const auto& [claim, prerequisites] : verdict::dependencies())
    for (const auto& name : prerequisites) {
      INFO(claim << " and " << name);
      CHECK(concluded(claim, Outcome::kPass, std::string(name), Outcome::kError).outcome == Outcome::kError);
    }
}

TEST_CASE("every pair from evidence: what is broken reaches the claims that rest on it and no others") {
  for (const auto& [family, reason, apply] : breaks()) {
    for (const bool passing : {true, false}) {
      const auto sound = test::judge(whole(passing));
      auto builder = whole(passing);
      apply(builder);
      const auto broken = test::judge(builder);
      INFO(family << (passing ? ", passing\n" : ", failing\n") << verdict::render_table(broken, false));
      CHECK(broken.outcome != Outcome::kPass);
      for (const auto& check : broken.checks) {
        if (check.sort != CheckSort::kClaim) continue;
        INFO(check.name);
        const auto& before = test::check_of(sound, check.name);
        if (check.name != "kernel_degradation") REQUIRE(before.outcome == (passing ? Outcome::kPass : Outcome::kFail));
        if (rests_on(verdict::family(check.name), family)) {
          CHECK(check.outcome == Outcome::kInconclusive);
          CHECK(check.reason == reason);
          CHECK(verdict::family(check.rests_on) == family);
        } else {
          CHECK(check.outcome == before.outcome);
        }
      }
    }
  }
}

TEST_CASE("stop_semantics rests on the files alone") {
  for (const auto& [family, reason, apply] : breaks()) {
    if (family == "window_as_planned") continue; // a STOP in recovery leaves the window whole
    for (const bool passing : {true, false}) {
      EvidenceBuilder builder;
      apply(builder);
      const auto verdict = test::judge(
          test::stop_in_recovery(builder, passing ? test::stopped_manifest() : nlohmann::json{{"status", "running"}}));
      const auto& check = test::check_of(verdict, "stop_semantics");
      INFO(family << (passing ? ", passing" : ", failing"));
      if (family == "bundle_complete")
        CHECK(check.outcome == Outcome::kInconclusive);
      else
        CHECK(check.outcome == (passing ? Outcome::kPass : Outcome::kFail));
    }
  }
}

TEST_CASE("prerequisites of the semantics are in the table, each with a claim that rests on it") {
  std::set<std::string> named;
  for (const auto& [claim, prerequisites] : verdict::dependencies())
    named.insert(prerequisites.begin(), prerequisites.end());
  CHECK(named == std::set<std::string>(kPrerequisites.begin(), kPrerequisites.end()));
}

TEST_CASE("the family of a check") {
  CHECK(verdict::family("fault_effective: fault 1 loss egress") == "fault_effective");
  CHECK(verdict::family("gate 12: counter /retries") == "gate");
  CHECK(verdict::family("kernel_degradation") == "kernel_degradation");
}

TEST_CASE("roll-up: error over fail over inconclusive over pass, and no claim is no pass") {
  const auto outcome_of = [](std::vector<Outcome> outcomes) {
    std::vector<Check> checks;
    for (const auto outcome : outcomes)
      checks.push_back({.name = "telemetry", .sort = CheckSort::kClaim, .outcome = outcome});
    return verdict::conclude(std::move(checks)).outcome;
  };
  CHECK(outcome_of({Outcome::kPass, Outcome::kPass}) == Outcome::kPass);
  CHECK(outcome_of({Outcome::kPass, Outcome::kInconclusive}) == Outcome::kInconclusive);
  CHECK(outcome_of({Outcome::kInconclusive, Outcome::kFail, Outcome::kPass}) == Outcome::kFail);
  CHECK(outcome_of({Outcome::kFail, Outcome::kError}) == Outcome::kError);
  const auto none = verdict::conclude({prerequisite("pressure", Outcome::kPass)});
  CHECK(none.outcome == Outcome::kInconclusive);
  REQUIRE(none.reasons.size() == 1);
  CHECK(none.reasons[0].starts_with("verdict: no_claim"));
}

TEST_CASE("of several broken prerequisites the one that explains most is named") {
  std::vector<Check> checks{prerequisite("trace_complete", Outcome::kInconclusive),
                            prerequisite("pressure", Outcome::kInconclusive),
                            {.name = "telemetry", .sort = CheckSort::kClaim, .outcome = Outcome::kPass}};
  checks[0].reason = Reason::kTraceIncomplete;
  checks[1].reason = Reason::kNoPressure;
  const auto verdict = verdict::conclude(std::move(checks));
  CHECK(verdict.checks.back().rests_on == "pressure");
  REQUIRE(verdict.reasons.size() == 3);
  CHECK(verdict.reasons[0].starts_with("pressure: no_pressure"));
  CHECK(verdict.reasons[1].starts_with("trace_complete: trace_incomplete"));
  CHECK(verdict.reasons[2].starts_with("telemetry: no_pressure: rests on pressure"));
}

}  // namespace verdict_pairs_test
