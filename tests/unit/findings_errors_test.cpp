// SPDX-License-Identifier: MIT
// Failures, app errors, and which belongs to which.
#include <algorithm>

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "../support/evidence_builder.hpp"
#include "brownout/findings.hpp"

namespace findings_errors_test {

using namespace brownout;
using findings::Findings;
using test::EvidenceBuilder;
using test::kMillisecond;
using test::kSecond;

namespace {

Findings derive(EvidenceBuilder builder, const plan::Plan& plan = test::demo_plan()) {
  return test::derive(plan, builder.build());
}

// Only these failures and errors; a failure is closed_unanswered, an error a time-out, unless changed.
struct Row { std::int64_t at_ms; std::uint32_t kind = BROWNOUT_EVENT_CLOSED_UNANSWERED; std::uint16_t port = 8443; };
struct Said { std::int64_t at_ms; std::string type = "timeout"; std::string url = {}; };

Findings match(const std::vector<Row>& failures, const std::vector<Said>& errors) {
  return derive(EvidenceBuilder{}.failures(0).then([&](test::Evidence& evidence) {
    for (const auto& [at_ms, kind, port] : failures) {
      brownout_event event{};
      event.kind = kind;
      event.flags = test::kOurs | BROWNOUT_EVENT_CALL_FAILED;
      event.flow = test::demo_flow(port);
      event.t_mono_ns = static_cast<std::uint64_t>(test::kWindowStart + at_ms * kMillisecond);
      event.call_start_ns = event.t_mono_ns - 100'000'000;
      event.dropped[0] = 1;
      evidence.kernel_events.push_back({event, {}});
    }
    for (const auto& [at_ms, type, url] : errors) {
      events::AppError error;
      error.utc_ns = test::kWindowStart + test::kUtcOffset + at_ms * kMillisecond;
      error.type = type;
      error.url = url;
      evidence.snapshots.back().new_errors.push_back(error);
    }
  }));
}

// The stamp of the error that belongs to this failure.
std::int64_t recorded_ms(const Findings& found, std::size_t failure) {
  REQUIRE(found.failures.at(failure).app_error);
  const auto& error = found.app_errors.at(*found.failures[failure].app_error).error;
  return (*error.utc_ns - test::kUtcOffset - test::kWindowStart) / kMillisecond;
}

}  // namespace

TEST_CASE("failures of the app on hit flows, with what was injected on them") {
  const auto found = derive(EvidenceBuilder{}.baseline_failures(2));
  CHECK(found.failures.size() == 32);
  CHECK(found.failures_in_window == 30);
  CHECK(found.failures_attributable == 30);
  CHECK(found.failures_baseline == 2);
  CHECK(found.failures_recorded == 30);
  CHECK(found.failures_elsewhere.empty());
}

TEST_CASE("failures on other flows are kept apart, those of other processes are none of ours") {
  const auto elsewhere = derive(EvidenceBuilder{}.failures_hit(false));
  CHECK(elsewhere.failures.empty());
  CHECK(elsewhere.failures_elsewhere.size() == 30);
  const auto others = derive(EvidenceBuilder{}.then([](test::Evidence& evidence) {
    for (auto& event : evidence.kernel_events) event.raw.flags &= ~static_cast<std::uint32_t>(BROWNOUT_EVENT_APP);
  }));
  CHECK(others.failures.empty());
  CHECK(others.failures_elsewhere.empty());
}

TEST_CASE("held packets explain silence, not an answer; drops explain both") {
  const auto attributable = [](std::uint32_t kind, bool dropped) {
    return derive(EvidenceBuilder{}.failure_kind(kind).then([dropped](test::Evidence& evidence) {
      for (auto& event : evidence.kernel_events) event.raw.dropped[0] = dropped ? 1 : 0;
    })).failures_attributable;
  };
  for (const std::uint32_t kind : {BROWNOUT_EVENT_CONNECT_TIMEOUT, BROWNOUT_EVENT_CONNECT_ABANDONED,
                                   BROWNOUT_EVENT_CLOSED_UNANSWERED, BROWNOUT_EVENT_KERNEL_GAVE_UP})
    CHECK(attributable(kind, false) == 30);
  for (const std::uint32_t kind : {BROWNOUT_EVENT_CONNECT_REFUSED, BROWNOUT_EVENT_RESET_RECEIVED,
                                   BROWNOUT_EVENT_PEER_CLOSED_UNANSWERED, BROWNOUT_EVENT_CONNECT_UNREACHABLE}) {
    CHECK(attributable(kind, false) == 0);
    CHECK(attributable(kind, true) == 30);
  }
}

TEST_CASE("a failure belongs to the window in which its call started, whenever it ended") {
  const auto found = match({{-50}, {19'950}, {20'050}, {20'150}}, {});
  CHECK(found.failures_in_window == 2); // 19 950 and 20 050: calls started 100 ms before
}

TEST_CASE("one error for one failure, the least difference in all") {
  const auto found = match({{1000}, {1400}}, {{1405}, {1010}, {1500}});
  REQUIRE(found.failures.size() == 2);
  CHECK(recorded_ms(found, 0) == 1010);
  CHECK(recorded_ms(found, 1) == 1405);
  const auto other = std::ranges::find_if(found.app_errors, [](const auto& error) { return !error.failure; });
  REQUIRE(other != found.app_errors.end());
  CHECK(other->in_window); // by its own time
}

TEST_CASE("an error further away than apps are late with a record, and the slack, belongs to no failure") {
  for (const std::int64_t sign : {1, -1}) {
    CHECK(match({{5000}}, {{5000 + sign * 2990}}).failures_recorded == 1);
    CHECK(match({{5000}}, {{5000 + sign * 3010}}).failures_recorded == 0);
  }
}

TEST_CASE("like goes with like, whatever is nearer") {
  const auto kinds =
      match({{1000, BROWNOUT_EVENT_CONNECT_REFUSED}, {1200}}, {{1010, "timeout"}, {1190, "connection_refused"}});
  CHECK(recorded_ms(kinds, 0) == 1190);
  CHECK(recorded_ms(kinds, 1) == 1010);
  const auto ports = match({{1000, BROWNOUT_EVENT_CLOSED_UNANSWERED, 9000}, {1200}},
                           {{1010, "timeout", "https://10.0.0.1:8443/a"}, {1190, "timeout", "http://10.0.0.1:9000/b"}});
  CHECK(recorded_ms(ports, 0) == 1190);
  CHECK(recorded_ms(ports, 1) == 1010);
  const auto address = match(
      {{1000}}, {{1100, "timeout", "https://10.0.0.1:8443/"}, {1010, "timeout", "https://[::ffff:10.0.0.9]:8443/"}});
  CHECK(recorded_ms(address, 0) == 1100);
}

TEST_CASE("as many pairs as can be, before the nearest") {
  // The error between them is nearer to the second failure, which is the only one in reach of the other error.
  const auto found = match({{1000}, {1800}}, {{1500}, {2700}});
  CHECK(recorded_ms(found, 0) == 1500);
  CHECK(recorded_ms(found, 1) == 2700);
}

TEST_CASE("no pair of unlike kinds, or of another peer, however near") {
  CHECK(match({{1000, BROWNOUT_EVENT_CONNECT_REFUSED}}, {{1010, "timeout"}}).failures_recorded == 0);
  CHECK(match({{1000}}, {{1010, "connection_refused"}}).failures_recorded == 0);
  CHECK(match({{1000}}, {{1010, "timeout", "https://10.0.0.1:9999/"}}).failures_recorded == 0);
  CHECK(match({{1000}}, {{1010, "connection_error", "https://api.example:8443/"}}).failures_recorded == 1);
}

TEST_CASE("an error of another kind is not taken for a recorded failure") {
  CHECK(match({{1000}}, {{1010, "balance_too_low"}}).failures_recorded == 0);
  CHECK(match({{1000}}, {{1010, "api_error", "https://10.0.0.1:8443/"}}).failures_recorded == 0);
  CHECK(match({{1000}}, {{1010, "http_error", "https://10.0.0.1:8443/"}}).failures_recorded == 0);
}

TEST_CASE("errors without stamps are bounded by the versions between which they appeared") {
  const auto found = derive(EvidenceBuilder{}.stamped(false));
  CHECK(found.failures_recorded == 30);
  CHECK(*found.error_count.lower == 30);
  const auto& error = found.app_errors[5];
  CHECK(error.latest_ns - error.earliest_ns == kSecond + 100 * kMillisecond); // a version a second, a look each 100 ms
}

TEST_CASE("stamps in local time are suspected, reported and not used") {
  const auto found = derive(EvidenceBuilder{}.stamp_shift(8 * 3600 * kSecond));
  REQUIRE(found.timestamp_offset_suspected_ns);
  CHECK(*found.timestamp_offset_suspected_ns == 8 * 3600 * kSecond);
  CHECK(found.app_errors.front().earliest_ns < found.app_errors.front().latest_ns);
  CHECK_FALSE(derive(EvidenceBuilder{}).timestamp_offset_suspected_ns);
  CHECK_FALSE(
      derive(EvidenceBuilder{}.failures(2).stamp_shift(3600 * kSecond)).timestamp_offset_suspected_ns);  // too few
  CHECK_FALSE(derive(EvidenceBuilder{}.stamp_shift(500 * kSecond)).timestamp_offset_suspected_ns); // no time zone
  CHECK(*derive(EvidenceBuilder{}.stamp_shift(-20700 * kSecond)).timestamp_offset_suspected_ns ==
        -20700 * kSecond);  // -5:45
}

TEST_CASE("stamps that fit as they are are not suspected because they would fit elsewhere too") {
  constexpr std::int64_t kQuarter = 900'000;
  const auto found = match({{1000}, {1200}, {1400}, {kQuarter + 1000}, {kQuarter + 1200}, {kQuarter + 1400}},
                           {{1010}, {1210}, {1410}});
  CHECK_FALSE(found.timestamp_offset_suspected_ns);
  CHECK(found.failures_recorded == 3);
}

TEST_CASE("the drift of the wall clock is taken into account") {
  const auto found = derive(EvidenceBuilder{}.then([](test::Evidence& evidence) {
    evidence.clocks.back().realtime_offset_ns += 43 * kSecond; // one second a second
    for (auto& snapshot : evidence.snapshots)
      for (auto& error : snapshot.new_errors) *error.utc_ns += *error.utc_ns - test::kUtcOffset - test::kStart;
  }));
  CHECK(found.failures_recorded == 30);
}

TEST_CASE("growth of the count is bounded by the versions around the window") {
  using Versions = std::vector<std::pair<std::int64_t, std::int64_t>>; // ms after the window's start, count
  const auto with = [](const Versions& versions, std::uint64_t in_flight = 0) {
    return derive(EvidenceBuilder{}.failures(0).then([versions, in_flight](test::Evidence& evidence) {
      evidence.snapshots.clear();
      for (const auto& [at_ms, count] : versions) {
        events::Snapshot snapshot;
        snapshot.status = events::SnapshotStatus::kRead;
        snapshot.t_mono_ns = test::kWindowStart + at_ms * kMillisecond;
        snapshot.previous_look_ns = snapshot.t_mono_ns - 100 * kMillisecond;
        snapshot.error_count = count;
        evidence.snapshots.push_back(snapshot);
      }
      for (auto& sample : evidence.counters)
        sample.trace.calls_completed[1] =
            sample.trace.calls_started[1] - std::min<std::uint64_t>(in_flight, sample.trace.calls_started[1]);
    })).error_count;
  };
  const auto clear = with({{-5000, 2}, {5000, 6}, {22'000, 7}});
  CHECK(*clear.lower == 4);
  CHECK(*clear.upper == 5);
  const auto busy = with({{-5000, 2}, {5000, 6}, {22'000, 7}}, 3); // three of them may be of calls from before
  CHECK(*busy.lower == 1);
  CHECK(*busy.upper == 5);
  const auto at_edge = with({{-5000, 2}, {50, 4}, {10'000, 6}}); // the version of 50 ms may be from before the window
  CHECK(*at_edge.lower == 2);
  CHECK(*at_edge.upper == 4);
  const auto late = with({{25'000, 7}}); // the file came after the window
  CHECK(*late.lower == 0);
  CHECK(*late.upper == 7);
  CHECK(with({{-5000, 7}, {5000, 1}}).reset);
  CHECK_FALSE(with({}).lower);
}

TEST_CASE("events decide the growth when each count has its event") {
  const auto found = derive(EvidenceBuilder{}.baseline_failures(2));
  CHECK(*found.error_count.lower == 30);
  CHECK(*found.error_count.upper == 30);
  CHECK(found.error_count.baseline_per_second == Catch::Approx(0.25));
}

TEST_CASE("retries fold failures towards one peer") {
  auto plan = test::demo_plan();
  plan.drill.app->retries = 2;
  CHECK(derive(EvidenceBuilder{}, plan).failures_recordable == 10);
  CHECK(derive(EvidenceBuilder{}.failures(2), plan).failures_recordable == 0);
}

}  // namespace findings_errors_test
