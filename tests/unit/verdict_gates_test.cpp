// SPDX-License-Identifier: MIT
// Gates and claims at their edges.
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/verdict_support.hpp"

namespace verdict_gates_test {

using namespace brownout;
using test::EvidenceBuilder;
using test::check_of;
using verdict::Outcome;
using verdict::Reason;

namespace {

plan::Plan with_gate(decltype(drill::Gate::what) what) {
  auto plan = test::demo_plan();
  plan.gates = {drill::Gate{.what = std::move(what)}};
  return plan;
}

EvidenceBuilder& without_events(EvidenceBuilder& builder) {
  return builder.then([](events::Evidence& evidence) {
    for (auto& snapshot : evidence.snapshots) snapshot.new_errors.clear();
  });
}

EvidenceBuilder truncated() {
  return EvidenceBuilder{}.then([](events::Evidence& evidence) {
    evidence.windows[BROWNOUT_PHASE_INJECT].complete = false;
    evidence.ending = events::Ending::kSignal;
    evidence.ending_detail = "SIGINT";
  });
}

}  // namespace

TEST_CASE("max_increase: the app copes, or does not") {
  const auto gate = [](std::int64_t most) { return with_gate(drill::ErrorCountGate{.max_increase = most}); };
  CHECK(check_of(test::judge(EvidenceBuilder{}, gate(30)), "gate 1: error_count").outcome == Outcome::kPass);
  const auto exceeded = test::judge(EvidenceBuilder{}, gate(29));
  CHECK(check_of(exceeded, "gate 1: error_count").outcome == Outcome::kFail);
  test::require_first(exceeded, Outcome::kFail, "gate 1: error_count: gate_exceeded: grew by 30, 29 allowed");
}

TEST_CASE("max_increase does not fail for errors that the fault did not cause") {
  const auto verdict =
      test::judge(EvidenceBuilder{}.injected_on_flow(false), with_gate(drill::ErrorCountGate{.max_increase = 3}));
  CHECK(check_of(verdict, "gate 1: error_count").reason == Reason::kFailuresNotInjected);
}

TEST_CASE("max_increase does not fail for errors that came at the baseline's rate before") {
  // 2 failures in the baseline explain 5 in the window, and up to 11 once in a hundred drills.
  const auto gate = [](std::int64_t most) {
    return check_of(test::judge(EvidenceBuilder{}.baseline_failures(2), with_gate(drill::ErrorCountGate{.max_increase = most})),
                    "gate 1: error_count");
  };
  CHECK(gate(20).reason == Reason::kErrorsNotNetwork);
  CHECK(gate(10).reason == Reason::kGateExceeded);
}

TEST_CASE("a window cut short: what is proven stands, the rest is not measurable") {
  const auto cut = test::judge(truncated());
  test::require_first(cut, Outcome::kInconclusive, "window_as_planned: window_truncated");
  CHECK(check_of(cut, "telemetry").reason == Reason::kWindowTruncated);
  const auto proven = test::judge(truncated(), with_gate(drill::ErrorCountGate{.max_increase = 3}));
  test::require_first(proven, Outcome::kFail, "gate 1: error_count: gate_exceeded");
  auto builder = truncated();
  builder.really_drops(false); // nothing is proven when the fault itself is in doubt
  CHECK(test::judge(builder, with_gate(drill::ErrorCountGate{.max_increase = 3})).outcome == Outcome::kInconclusive);
}

TEST_CASE("STOP in recovery keeps the verdict") {
  EvidenceBuilder builder;
  test::stop_in_recovery(builder, test::stopped_manifest());
  test::require_first(test::judge(builder), Outcome::kPass, "kernel_degradation: ok");
  builder.recovery_rate(0);
  const auto verdict = test::judge(builder);
  CHECK(verdict.outcome == Outcome::kPass);
  CHECK(std::ranges::find(verdict.checks, "recovered", &verdict::Check::name) == verdict.checks.end());
}

TEST_CASE("counts without events: bounds decide only where they can") {
  auto plan = with_gate(drill::ErrorCountGate{.min_increase = 1});
  EvidenceBuilder builder;
  without_events(builder);
  const auto check = check_of(test::judge(builder, plan), "gate 1: error_count");
  CHECK(check.reason == Reason::kCountersOnly); // they did grow, but nothing says that they were of the network
  plan = with_gate(drill::ErrorCountGate{.max_increase = 40});
  CHECK(check_of(test::judge(builder, plan), "gate 1: error_count").outcome == Outcome::kPass);
  plan = with_gate(drill::ErrorCountGate{.max_increase = 10});
  CHECK(check_of(test::judge(builder, plan), "gate 1: error_count").outcome == Outcome::kFail);
}

TEST_CASE("an app that keeps only a count is not blind") {
  EvidenceBuilder builder;
  without_events(builder);
  CHECK(check_of(test::judge(builder), "telemetry").outcome == Outcome::kPass);
}

TEST_CASE("a count that grows at the baseline's rate records nothing") {
  const auto steady = [](int a_second) {
    EvidenceBuilder builder;
    return without_events(builder).then([a_second](events::Evidence& evidence) {
      for (std::size_t i = 0; i < evidence.snapshots.size(); ++i) {
        evidence.snapshots[i].error_count = static_cast<std::int64_t>(i) * a_second;
        evidence.snapshots[i].counters["retries"] = static_cast<std::int64_t>(i) * a_second;
      }
    });
  };
  // 40 in the window, of 30 failures: but 2 a second came before, too.
  const auto plan = with_gate(drill::CounterGate{.pointer = "/retries", .min_increase = 10});
  const auto verdict = test::judge(steady(2), plan);
  CHECK(check_of(verdict, "telemetry").reason == Reason::kTelemetryPartial);
  CHECK(check_of(verdict, "gate 1: counter /retries").reason == Reason::kErrorsNotNetwork);
  CHECK(verdict.outcome == Outcome::kInconclusive);
}

TEST_CASE("counters that begin anew, run backwards, or are not those of the manifest are named for what they are") {
  const auto counters = [](const std::function<void(events::Evidence&)>& change) {
    const auto verdict = test::judge(EvidenceBuilder{}.then(change));
    CHECK(verdict.outcome == Outcome::kInconclusive);
    CHECK_FALSE(check_of(verdict, "counters").evidence.empty());
    return check_of(verdict, "counters");
  };
  // error_count never falls, for there was no error before the app was started again.
  const auto restarted = counters([](events::Evidence& evidence) {
    for (auto& snapshot : evidence.snapshots)
      if (snapshot.t_mono_ns > test::kWindowStart) *snapshot.api_calls -= 400;
  });
  CHECK(restarted.reason == Reason::kCountersReset);
  CHECK(restarted.detail.starts_with("api_calls went from "));
  const auto backwards = counters([](events::Evidence& evidence) {
    evidence.snapshots[25].error_count = *evidence.snapshots[24].error_count - 1;
  });
  CHECK(backwards.reason == Reason::kCountersBackwards);
  const auto manifest = [&](const nlohmann::json& said) {
    return test::judge(EvidenceBuilder{}.then([said](events::Evidence& evidence) {
      evidence.timeline.push_back(events::timeline::app_manifest("end", said));
    }));
  };
  const auto differs = manifest({{"status", "interrupted"}, {"api_calls", 5}});
  CHECK(check_of(differs, "counters").reason == Reason::kCountersDisagree);
  CHECK(check_of(differs, "counters").detail.ends_with("in the fingerprint and 5 in the manifest"));
  CHECK(manifest({{"status", "running"}, {"api_calls", 5}}).outcome == Outcome::kPass); // of its start, perhaps
  CHECK(manifest({{"status", "completed"}, {"error_count", 30}}).outcome == Outcome::kPass);
  const auto longer = counters([](events::Evidence& evidence) { evidence.snapshots.back().error_events = 31; });
  CHECK(longer.reason == Reason::kCountersDisagree);
  CHECK(longer.detail == "error_events has 31 elements and error_count is 30");
}

TEST_CASE("a counter of a gate that begins anew or runs backwards is no counter that was absent") {
  const auto plan = with_gate(drill::CounterGate{.pointer = "/retries", .min_increase = 10});
  const auto reason = [&](int last) {
    return check_of(test::judge(EvidenceBuilder{}.then([last](events::Evidence& evidence) {
      evidence.snapshots.back().counters["retries"] = last;
    }), plan), "gate 1: counter /retries").reason;
  };
  CHECK(reason(2) == Reason::kCountersReset);
  CHECK(reason(59) == Reason::kCountersBackwards);
}

TEST_CASE("calls that another cause made fail, and still makes fail, are not a failure to recover") {
  auto builder = EvidenceBuilder{}.injected_on_flow(false).failure_kind(BROWNOUT_EVENT_CONNECT_REFUSED);
  const auto verdict = test::judge(builder.recovery_rate(0));
  CHECK(check_of(verdict, "recovered").reason == Reason::kFailuresNotInjected);
  CHECK(verdict.outcome == Outcome::kInconclusive);
  CHECK(check_of(test::judge(EvidenceBuilder{}.recovery_rate(0)), "recovered").outcome == Outcome::kFail);
}

TEST_CASE("a wall clock that was set and set back is right at both ends, and a step all the same") {
  const auto verdict = test::judge(EvidenceBuilder{}.then([](events::Evidence& evidence) {
    auto between = evidence.clocks.front();
    between.at_monotonic_ns = test::kWindowStart + 3 * test::kSecond;
    between.realtime_offset_ns += 5 * test::kSecond;
    evidence.clocks.insert(evidence.clocks.begin() + 1, between);
  }));
  test::require_first(verdict, Outcome::kInconclusive, "clock: clock_step: the wall clock moved by 5 s");
}

TEST_CASE("a count beside a list that was cut is neither proof of recording nor of blindness") {
  const auto verdict = test::judge(EvidenceBuilder{}.then([](events::Evidence& evidence) {
    int kept = 3;
    for (auto& snapshot : evidence.snapshots)
      std::erase_if(snapshot.new_errors, [&](const events::AppError&) { return kept-- <= 0; });
  }));
  CHECK(check_of(verdict, "telemetry").reason == Reason::kTelemetryPartial);
  CHECK(check_of(verdict, "telemetry").measured == "3 to 30 of 30");
}

TEST_CASE("telemetry at its bounds") {
  const auto outcome = [](int recorded) {
    return check_of(test::judge(EvidenceBuilder{}.recorded(recorded)), "telemetry").outcome;
  };
  CHECK(outcome(24) == Outcome::kPass); // 80 %
  CHECK(outcome(23) == Outcome::kInconclusive);
  CHECK(outcome(7) == Outcome::kInconclusive);
  CHECK(outcome(6) == Outcome::kFail); // 20 %
}

TEST_CASE("bounds of telemetry are the drill's") {
  auto plan = test::demo_plan();
  plan.drill.telemetry_pass = 0.5;
  CHECK(check_of(test::judge(EvidenceBuilder{}.recorded(15), plan), "telemetry").outcome == Outcome::kPass);
  plan.drill.telemetry_pass = 0.9;
  plan.drill.telemetry_fail = 0.6;
  CHECK(check_of(test::judge(EvidenceBuilder{}.recorded(15), plan), "telemetry").outcome == Outcome::kFail);
}

TEST_CASE("retries fold failures, and an app that retries is never called blind while calls get through") {
  auto plan = test::demo_plan();
  plan.drill.app->retries = 2;
  CHECK(check_of(test::judge(EvidenceBuilder{}.recorded(10), plan), "telemetry").outcome == Outcome::kPass);
  const auto verdict = test::judge(EvidenceBuilder{}.recorded(0), plan);
  CHECK(check_of(verdict, "telemetry").reason == Reason::kTelemetryPartial);
  CHECK(check_of(verdict, "gate 1: error_count").reason == Reason::kGateNotMeasurable);
}

TEST_CASE("errors at the baseline's rate are not growth") {
  auto builder = EvidenceBuilder{}.failures(3);
  builder.baseline_failures(1);
  const auto verdict = test::judge(builder, with_gate(drill::ErrorCountGate{.min_increase = 1}));
  // one in 8 s explains 2.5 in 20 s
  CHECK(check_of(verdict, "gate 1: error_count").reason == Reason::kErrorsNotNetwork);
}

TEST_CASE("error_events counts the types asked for") {
  const auto gate = [](std::vector<std::string> types, std::int64_t min) {
    return check_of(test::judge(EvidenceBuilder{}, with_gate(drill::ErrorEventsGate{std::move(types), min})),
                    "gate 1: error_events readtimeout").outcome;
  };
  CHECK(gate({"readtimeout"}, 30) == Outcome::kPass); // the exception's name, whatever its case
  const auto none = test::judge(EvidenceBuilder{}, with_gate(drill::ErrorEventsGate{{"dns"}, 1}));
  CHECK(check_of(none, "gate 1: error_events dns").outcome == Outcome::kFail);
}

TEST_CASE("counter gates follow a pointer into the fingerprint") {
  const auto plan = with_gate(drill::CounterGate{.pointer = "/retries", .min_increase = 50});
  CHECK(check_of(test::judge(EvidenceBuilder{}, plan), "gate 1: counter /retries").outcome == Outcome::kPass);
  const auto escaped = with_gate(drill::CounterGate{.pointer = "/by~1path/a~0b", .min_increase = 1});
  const auto verdict = test::judge(EvidenceBuilder{}.then([](events::Evidence& evidence) {
    for (auto& snapshot : evidence.snapshots) snapshot.counters["by/path"]["a~b"] = *snapshot.error_count;
  }), escaped);
  CHECK(check_of(verdict, "gate 1: counter /by~1path/a~0b").outcome == Outcome::kPass);
  const auto absent = with_gate(drill::CounterGate{.pointer = "/nothing/there", .min_increase = 1});
  CHECK(check_of(test::judge(EvidenceBuilder{}, absent), "gate 1: counter /nothing/there").reason ==
        Reason::kCountersAbsent);
}

TEST_CASE("latency gates compare the app's own figure, and blame it only for what the kernel saw too") {
  const auto outcome = [](std::optional<double> least, std::optional<double> most) {
    return check_of(test::judge(EvidenceBuilder{}, with_gate(drill::LatencyGate{"p95", least, most})),
                    "gate 1: latency p95");
  };
  CHECK(outcome(300, {}).outcome == Outcome::kPass);
  CHECK(outcome({}, 200).reason == Reason::kGateExceeded);
  CHECK(outcome(1000, {}).reason == Reason::kGateNotMeasurable);
  const auto flat = test::judge(EvidenceBuilder{}.then([](events::Evidence& evidence) {
    for (auto& snapshot : evidence.snapshots) snapshot.counters["latency_stats_ms"]["p95"] = 12.0;
  }), with_gate(drill::LatencyGate{"p95", 100, {}}));
  CHECK(check_of(flat, "gate 1: latency p95").reason == Reason::kGateNotMet);
}

TEST_CASE("without an app the scope says so, and nothing of the app is judged") {
  auto plan = test::demo_plan();
  plan.drill.app.reset();
  plan.gates.clear();
  const auto verdict = test::judge(EvidenceBuilder{}, plan);
  CHECK(verdict.outcome == Outcome::kPass);
  CHECK(verdict.scope == "kernel_only");
  for (const auto& check : verdict.checks) CHECK((check.name != "telemetry" && check.name != "counters"));
}

TEST_CASE("leftovers are an error even of a drill that would have passed") {
  const auto verdict =
      test::judge(EvidenceBuilder{}.then([](events::Evidence& evidence) { evidence.leftovers = {"link 9"}; }));
  test::require_first(verdict, Outcome::kError, "cleanup: leftovers: 1 left: link 9");
}

TEST_CASE("fewer retransmits traced than the namespace counted: bounded where others were seen in it, else incomplete") {
  const auto counted_twice = [](bool others) {
    return test::judge(EvidenceBuilder{}.then([others](events::Evidence& evidence) {
      for (auto& sample : evidence.counters) {
        sample.snmp["Tcp.RetransSegs"] *= 2;
        sample.trace.out_of_scope_here = others ? 1 : 0;
      }
    }));
  };
  const auto shared = counted_twice(true);
  CHECK(shared.completeness == "bounded");
  CHECK(check_of(shared, "trace_complete").outcome == Outcome::kPass);
  const auto alone = counted_twice(false);
  CHECK(alone.completeness == "bounded");
  CHECK(check_of(alone, "trace_complete").outcome == Outcome::kInconclusive);
  CHECK_THAT(check_of(alone, "trace_complete").detail,
             Catch::Matchers::ContainsSubstring("no socket out of scope was seen"));
}

}  // namespace verdict_gates_test
