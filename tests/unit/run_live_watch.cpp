// SPDX-License-Identifier: MIT
// What the loop passes on becomes what is shown.
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "../../userspace/run/live_watch.hpp"

namespace run_live_watch_test {

using namespace brownout;
using run::LiveState;
using run::LiveWatch;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
using Gates = std::vector<drill::Gate>;

plan::Plan plan_with(Gates gates) {
  plan::Plan plan;
  plan.drill.app.emplace();
  plan.gates = std::move(gates);
  return plan;
}

events::Snapshot fingerprint(std::int64_t error_count, double p95 = 10) {
  events::Snapshot snapshot{.status = events::SnapshotStatus::kRead};
  snapshot.error_count = error_count;
  snapshot.counters = {{"latency_stats_ms", {{"p95", p95}}}};
  return snapshot;
}

LiveState at(const LiveWatch& watch, std::int64_t now_ns) { return watch.state(BROWNOUT_PHASE_INJECT, {}, now_ns); }

}  // namespace

TEST_CASE("a gate is held against what the app said when the faults began, and says once when it turns") {
  const auto plan = plan_with({{drill::ErrorCountGate{.min_increase = 2, .max_increase = 4}}, {drill::LatencyGate{.field = "p95", .max_increase_ms = 100.0}}});
  LiveWatch watch(plan);
  watch.see(fingerprint(7));
  CHECK(watch.turned().empty());
  CHECK(at(watch, 0).gates[0].standing == LiveState::Standing::kUnknown);
  watch.begin_faults();
  CHECK(watch.turned() == std::vector<std::string>{
                              "gate 1: error_count: not yet (grew by 0; at least 2, at most 4 wanted)",
                              "gate 2: latency p95: holds (grew by 0; at most 100 wanted)"});
  watch.see(fingerprint(8, 5));
  CHECK(watch.turned().empty());
  watch.see(fingerprint(9));
  CHECK(watch.turned() == std::vector<std::string>{"gate 1: error_count: met (grew by 2; at least 2, at most 4 wanted)"});
  watch.see(fingerprint(12, 500));
  CHECK(watch.turned().size() == 2);
  const auto state = at(watch, 0);
  CHECK(state.gates[0].standing == LiveState::Standing::kExceeded);
  CHECK(state.gates[1].standing == LiveState::Standing::kExceeded);
  CHECK(state.app[0].name == "error_count");
  CHECK(state.app[0].before == 7);
  CHECK(state.app[0].now == 12);
  watch.see(fingerprint(0));
  CHECK(at(watch, 0).gates[0].standing == LiveState::Standing::kUnknown);
}

TEST_CASE("error_events are counted by type, from the faults on") {
  const auto plan = plan_with({{drill::ErrorEventsGate{.types = {"Timeout"}, .min = 2}}});
  LiveWatch watch(plan);
  auto version = fingerprint(0);
  version.new_errors = {{.type = "timeout"}, {.type = "http_error", .exception_type = "TIMEOUT"}, {.type = "http_error"}};
  watch.see(version);
  watch.begin_faults();
  CHECK(at(watch, 0).gates[0].grown == 0);
  watch.see(version);
  CHECK(at(watch, 0).gates[0].grown == 2);
  CHECK(at(watch, 0).gates[0].standing == LiveState::Standing::kMet);
}

TEST_CASE("calls per second are of the last second, failures by kind of where the faults act") {
  const auto plan = plan_with({});
  LiveWatch watch(plan);
  brownout_trace_counters totals{};
  totals.calls_started[1] = 1003;
  for (int tick = 0; tick <= 200; ++tick) {  // 4 s: at first 100 calls a second, then 50
    totals.calls_completed[1] += tick <= 100 ? 2U : 1U;
    watch.see(totals, kSecond + tick * kSecond / 50);
  }
  CHECK(at(watch, 0).calls_per_second == 50);
  CHECK(at(watch, 0).in_flight == 1003 - totals.calls_completed[1]);
  brownout_event event{};
  event.kind = BROWNOUT_EVENT_READ_TIMEOUT;
  event.flags = BROWNOUT_EVENT_CALL_FAILED | BROWNOUT_EVENT_HIT | BROWNOUT_EVENT_APP;
  watch.see(event);
  watch.see(event);
  event.flags = BROWNOUT_EVENT_CALL_FAILED | BROWNOUT_EVENT_APP;
  watch.see(event);
  event.flags = BROWNOUT_EVENT_HIT | BROWNOUT_EVENT_APP;  // nobody waited for it
  watch.see(event);
  const auto state = at(watch, 0);
  REQUIRE(state.failures.size() == 1);
  CHECK(state.failures[0] == std::pair<std::string, std::uint64_t>{"read_timeout", 2});
  CHECK(state.failures_elsewhere == 1);
}

TEST_CASE("what was injected is counted by fault, and against the caps") {
  auto plan = plan_with({});
  plan.faults = {{.index = 0, .label = "latency", .abi = {.kind = BROWNOUT_FAULT_LATENCY}, .directions = {0}},
                 {.index = 1, .label = "loss", .abi = {.kind = BROWNOUT_FAULT_LOSS}, .directions = {0, 1}, .rate = 0.5}};
  plan.drill.caps = {.max_packets = 100, .max_connections = 3};
  LiveWatch watch(plan);
  watch.begin_faults();
  events::CounterSample sample;
  watch.see(sample);  // nothing attached: nothing in it
  CHECK(at(watch, 0).faults[1].matched == 0);
  sample.injecting = true;
  sample.faults.resize(4);
  sample.faults[0].applied = {.packets = 5, .segments = 7};
  sample.faults[2].matched.packets = 10;
  sample.faults[2].decided.packets = 4;
  sample.faults[2].applied = {.packets = 4, .segments = 4};
  sample.faults[3].applied = {.packets = 1, .segments = 2};
  sample.inject.redirected[0].segments = 7;
  sample.inject.capped[BROWNOUT_CAP_CONNECTIONS] = 1;
  watch.see(sample);
  const auto state = at(watch, 0);
  CHECK(state.dropped == 6);
  CHECK(state.delayed == 7);
  CHECK(state.faults[1].decided == 4);
  REQUIRE(state.caps.size() == 2);
  CHECK(state.caps[0].used == 13U);
  CHECK_FALSE(state.caps[0].reached);
  CHECK(state.caps[1].reached);
}

TEST_CASE("a peer has the name that was seen last, with nothing in it that must not be told") {
  auto plan = plan_with({});
  plan.drill.redact = {"secret[0-9]+"};
  LiveWatch watch(plan);
  watch.see(events::NameRecord{.source = events::NameSource::kSni, .name = "secret7.test", .address = "10.0.0.1"});
  brownout_event event{};
  REQUIRE(events::parse_endpoint("10.0.0.1:443", event.flow.peer_address, event.flow.peer_port));
  CHECK(watch.name_of(event).starts_with("REDACTED_"));
  REQUIRE(events::parse_endpoint("10.0.0.3:443", event.flow.peer_address, event.flow.peer_port));
  CHECK(watch.name_of(event).empty());
}

}  // namespace run_live_watch_test
