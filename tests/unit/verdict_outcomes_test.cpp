// SPDX-License-Identifier: MIT
// Whole evidence in, verdict out: the outcomes that the drill promises.
#include "../support/verdict_support.hpp"

namespace verdict_outcomes_test {

using namespace brownout;
using test::demo_plan;
using test::EvidenceBuilder;
using test::judge;
using test::require_first;
using verdict::Outcome;
using verdict::Reason;

namespace {

const verdict::Check& check(const verdict::Verdict& verdict, std::string_view name) {
  return test::check_of(verdict, name);
}

constexpr auto kLatency = "fault_effective: fault 1 latency egress";
constexpr auto kLossEgress = "fault_effective: fault 2 loss egress";
constexpr auto kLossIngress = "fault_effective: fault 2 loss ingress";

}  // namespace

TEST_CASE("a complete demo passes, and every check of it") {
  const auto verdict = judge(EvidenceBuilder{});
  require_first(verdict, Outcome::kPass, "kernel_degradation: ok: 30 of 30");
  for (const auto& one : verdict.checks) CHECK(one.outcome == Outcome::kPass);
  CHECK(verdict.scope == "app");
  CHECK(verdict.completeness == "complete");
  CHECK(check(verdict, "telemetry").n == 30);
  CHECK(verdict.reasons.size() == 5); // the claims: degradation, telemetry, two gates, recovered
}

TEST_CASE("the same evidence gives the same verdict, byte by byte") {
  const auto first = verdict::to_json(judge(EvidenceBuilder{})).dump();
  CHECK(first == verdict::to_json(judge(EvidenceBuilder{})).dump());
}

TEST_CASE("idle: no pressure comes first, and nothing is claimed") {
  const auto verdict = judge(EvidenceBuilder{}.idle());
  require_first(verdict, Outcome::kInconclusive, "pressure: no_pressure: 0 of 20 completed calls");
  for (const auto& one : verdict.checks) {
    if (one.sort != verdict::CheckSort::kClaim) continue;
    CHECK(one.outcome == Outcome::kInconclusive);
    CHECK(one.reason == Reason::kNoPressure);
    CHECK(one.rests_on == "pressure");
  }
}

TEST_CASE("blind: telemetry fails first and lists what went unrecorded") {
  const auto verdict = judge(EvidenceBuilder{}.recorded(0));
  require_first(verdict, Outcome::kFail, "telemetry: telemetry_blind: 0 of 30");
  CHECK(check(verdict, "telemetry").evidence.size() == 30);
  CHECK(check(verdict, "gate 1: error_count").reason == Reason::kGateNotMet);
}

TEST_CASE("mild: the fault stays below the app's time-out, and the verdict says by how much") {
  const auto verdict = judge(EvidenceBuilder{}.failures(0));
  require_first(verdict, Outcome::kInconclusive, "kernel_degradation: fault_below_app_timeout");
  CHECK(check(verdict, "kernel_degradation").detail.find("the slowest took 32") != std::string::npos);
  CHECK(check(verdict, "telemetry").reason == Reason::kFaultBelowAppTimeout);
  CHECK(check(verdict, "gate 1: error_count").reason == Reason::kFaultBelowAppTimeout);
  CHECK(check(verdict, "recovered").outcome == Outcome::kPass);
}

TEST_CASE("a fault that matches nothing beside one that does") {
  const auto verdict = judge(EvidenceBuilder{}.then([](test::Evidence& evidence) {
    for (auto& sample : evidence.counters)
      for (const std::size_t i : {2, 3}) sample.faults[i] = {};
  }));
  require_first(verdict, Outcome::kInconclusive, "fault_effective: fault 2 loss egress: fault_not_effective");
}

TEST_CASE("the only fault matches nothing: the target calls, but nowhere that would be hit") {
  const auto verdict = judge(EvidenceBuilder{}.idle().then([](test::Evidence& evidence) {
    evidence.counters.back().trace.calls_completed[0] = 400;
  }));
  require_first(verdict, Outcome::kInconclusive, "fault_effective: fault 1 latency egress: fault_not_effective");
}

TEST_CASE("pressure left out and a fault that matches nothing: the fault is named, not the pressure") {
  auto plan = demo_plan();
  plan.drill.pressure_required = false;
  const auto verdict = judge(EvidenceBuilder{}.then([](test::Evidence& evidence) {
    for (auto& sample : evidence.counters) {
      sample.faults.assign(4, {});
      for (auto* pair : {&sample.trace.calls_started, &sample.trace.calls_completed, &sample.trace.calls_failed})
        std::swap((*pair)[0], (*pair)[1]);
      sample.histogram.clear();
    }
    for (auto& event : evidence.kernel_events) event.raw.flags &= ~static_cast<std::uint32_t>(BROWNOUT_EVENT_HIT);
  }), plan);
  require_first(verdict, Outcome::kInconclusive, "fault_effective: fault 1 latency egress: fault_not_effective");
}

TEST_CASE("a fault that matches nothing because the target does nothing: the pressure is named, not the fault") {
  auto plan = demo_plan();
  plan.drill.pressure_required = false;
  const auto verdict = judge(EvidenceBuilder{}.then([](test::Evidence& evidence) {
    const auto before = evidence.counters[10].trace;
    for (auto& sample : evidence.counters) {
      sample.faults.assign(4, {});
      if (sample.t_mono_ns > test::kWindowStart) sample.trace = before;
      for (auto* pair : {&sample.trace.calls_started, &sample.trace.calls_completed}) (*pair)[1] = (*pair)[1] > 0 ? 3 : 0;
      sample.histogram.clear();
    }
    evidence.kernel_events.clear();
  }), plan);
  require_first(verdict, Outcome::kInconclusive, "pressure: no_pressure");
  CHECK(check(verdict, kLatency).reason == Reason::kNoPressure);
}

TEST_CASE("the server dies in the window while the fault hits other flows") {
  const auto verdict = judge(EvidenceBuilder{}.failures_hit(false).failure_kind(BROWNOUT_EVENT_RESET_RECEIVED));
  require_first(verdict, Outcome::kInconclusive, "kernel_degradation: failures_not_injected: 30 calls failed");
  CHECK(check(verdict, "gate 1: error_count").outcome == Outcome::kInconclusive);
}

TEST_CASE("the server dies on a flow that is only delayed: a delay does not make a peer say no") {
  auto builder = EvidenceBuilder{}.failure_kind(BROWNOUT_EVENT_CONNECT_REFUSED).then([](test::Evidence& evidence) {
    for (auto& event : evidence.kernel_events) event.raw.dropped[BROWNOUT_EGRESS] = 0;
  });
  require_first(judge(builder), Outcome::kInconclusive, "kernel_degradation: failures_not_injected");
}

TEST_CASE("failures without any injection on their own flow prove nothing") {
  require_first(judge(EvidenceBuilder{}.injected_on_flow(false)), Outcome::kInconclusive,
                "kernel_degradation: failures_not_injected");
}

TEST_CASE("a build that counts drops and does not drop is caught in both directions") {
  const auto verdict = judge(EvidenceBuilder{}.really_drops(false));
  require_first(verdict, Outcome::kInconclusive, "fault_effective: fault 2 loss egress: witness_disagrees");
  CHECK(check(verdict, kLossIngress).reason == Reason::kWitnessDisagrees);
  CHECK(check(verdict, kLatency).outcome == Outcome::kPass);
}

TEST_CASE("a delay that no call felt is caught") {
  const auto verdict = judge(EvidenceBuilder{}.window_call_ms(210));
  CHECK(verdict.outcome == Outcome::kInconclusive);
  CHECK(check(verdict, kLatency).reason == Reason::kWitnessDisagrees);
}

TEST_CASE("a loss rate other than planned is caught on either side") {
  CHECK(check(judge(EvidenceBuilder{}.drop_rate(0.03)), kLossEgress).reason == Reason::kFaultNotEffective);
  CHECK(check(judge(EvidenceBuilder{}.drop_rate(0.15)), kLossEgress).reason == Reason::kFaultExceededPlan);
}

TEST_CASE("bursts of which none might have come are too small a sample") {
  auto plan = test::demo_plan();
  plan.faults[1].spread = 18; // 67 packets that fare each by itself, of 1200
  const auto verdict = judge(EvidenceBuilder{}, plan);
  const auto& found = check(verdict, kLossEgress);
  CHECK(found.reason == Reason::kSampleTooSmall);
  CHECK(found.detail.contains("bursts"));
}

TEST_CASE("fewer than ten expected drops are too small a sample") {
  CHECK(check(judge(EvidenceBuilder{}.matched_per_second(5)), kLossEgress).reason == Reason::kSampleTooSmall);
}

TEST_CASE("what the ring lost makes the trace incomplete") {
  const auto verdict = judge(EvidenceBuilder{}.then([](test::Evidence& evidence) {
    evidence.counters.back().trace.failures_lost = 3;
  }));
  require_first(verdict, Outcome::kInconclusive, "trace_complete: trace_incomplete: 3 failures");
}

TEST_CASE("a gap in the sequence that nobody counted makes the trace incomplete") {
  const auto verdict = judge(EvidenceBuilder{}.then([](test::Evidence& evidence) {
    evidence.kernel_events.erase(evidence.kernel_events.begin() + 10);
  }));
  CHECK(check(verdict, "trace_complete").reason == Reason::kTraceIncomplete);
}

TEST_CASE("lost details are counted and harm nothing that rests on failures") {
  const auto verdict = judge(EvidenceBuilder{}.then([](test::Evidence& evidence) {
    evidence.kernel_events.erase(evidence.kernel_events.begin() + 10);
    for (auto& sample : evidence.counters) --sample.trace.events_written;
    for (auto& sample : evidence.counters) ++sample.trace.details_lost;
  }));
  CHECK(check(verdict, "trace_complete").outcome == Outcome::kPass);
}

TEST_CASE("messages for names that no counter of loss explains forbid PASS") {
  const auto verdict = judge(EvidenceBuilder{}.then([](test::Evidence& evidence) {
    for (auto& sample : evidence.counters) sample.trace.payloads_attempted = 2;
  }));
  require_first(verdict, Outcome::kInconclusive, "trace_complete: trace_incomplete: 2 messages for names are missing");
}

}  // namespace verdict_outcomes_test
