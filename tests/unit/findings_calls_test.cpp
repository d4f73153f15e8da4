// SPDX-License-Identifier: MIT
// Calls, pressure, recovery and the ledger.
#include <netinet/tcp.h>

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "../support/evidence_builder.hpp"
#include "brownout/findings.hpp"

namespace findings_calls_test {

using namespace brownout;
using Catch::Approx;
using findings::Findings;
using test::EvidenceBuilder;
using test::kSecond;

namespace {

Findings derive(EvidenceBuilder builder, const plan::Plan& plan = test::demo_plan()) {
  return test::derive(plan, builder.build());
}

EvidenceBuilder changed(std::function<void(test::Evidence&)> change) {
  return EvidenceBuilder{}.then(std::move(change));
}

}  // namespace

TEST_CASE("calls are counted in the phase in which they started") {
  const auto found = derive(EvidenceBuilder{});
  const auto& baseline = found.calls.at(BROWNOUT_PHASE_BASELINE);
  const auto& window = found.calls.at(BROWNOUT_PHASE_INJECT);
  CHECK(baseline.completed == 320);
  CHECK(baseline.failed == 0);
  CHECK(baseline.seconds == 8);
  CHECK(*baseline.p50_ms == Approx(10).margin(0.2));
  CHECK(window.completed == 200); // the last ones are answered after the window, and belong to it
  CHECK(window.failed == 30);
  CHECK(*window.p50_ms == Approx(310).margin(5));
  CHECK(*window.max_ms == Approx(329).margin(5));
}

TEST_CASE("pressure is what was completed in the drill's span before the window") {
  CHECK(derive(EvidenceBuilder{}).pressure_completed == 400); // since the tracer came: 10 s
  auto plan = test::demo_plan();
  plan.drill.pressure.within = std::chrono::seconds{3};
  CHECK(derive(EvidenceBuilder{}, plan).pressure_completed == 120);
}

TEST_CASE("bins of 5 s are active with a call started or one in flight") {
  CHECK(derive(EvidenceBuilder{}).pressure_bins_active == 1);
  const auto freeze = [](bool in_flight) {
    return changed([in_flight](test::Evidence& evidence) {
      auto frozen = evidence.counters[20].trace; // half of the window
      frozen.calls_completed[1] = frozen.calls_started[1] - frozen.calls_failed[1] - (in_flight ? 1 : 0);
      for (auto& sample : evidence.counters)
        if (sample.t_mono_ns >= evidence.counters[20].t_mono_ns) sample.trace = frozen;
    });
  };
  CHECK(derive(freeze(false)).pressure_bins_active == 0.5);
  CHECK(derive(freeze(true)).pressure_bins_active == 1);
}

TEST_CASE("kernel calls are compared with the app's own count") {
  const auto found = derive(EvidenceBuilder{});
  REQUIRE(found.calls_per_api_call);
  CHECK(*found.calls_per_api_call == Approx(1).margin(0.05));
  CHECK(found.api_calls_growth == Approx(550).margin(45));
}

TEST_CASE("calls are told by destination, and answers that nothing has ended are not taken for short ones") {
  const auto found = derive(changed([](test::Evidence& evidence) {
    const auto bucket = [](std::uint64_t us) { return static_cast<std::uint32_t>(kernel::histogram_bucket(us)); };
    evidence.latencies.push_back({.destination = "10.0.0.1:8443",
                                  .target = true,
                                  .phase = BROWNOUT_PHASE_INJECT,
                                  .first = {{bucket(1'000), 90}, {bucket(300'000), 10}},
                                  .last = {{bucket(500'000), 99}}});
  }));
  REQUIRE(found.destinations.size() == 1);
  const auto& stats = found.destinations[0];
  CHECK(stats.completed == 100);
  CHECK(stats.ended == 99);
  CHECK(*stats.first_p50_ms == Approx(1).epsilon(1.0 / 64));
  CHECK(*stats.first_p95_ms == Approx(300).epsilon(1.0 / 64));
  CHECK(*stats.last_p50_ms == Approx(500).epsilon(1.0 / 64));
}

TEST_CASE("a destination is called what its connections said, and else what DNS gave for its address") {
  const auto names_at = [](std::optional<std::string> destination, std::vector<events::NameRecord> records) {
    return derive(changed([&](test::Evidence& evidence) {
             evidence.latencies.push_back({.destination = std::move(destination), .phase = BROWNOUT_PHASE_INJECT});
             evidence.names = records;
           }))
        .destinations.at(0)
        .names;
  };
  const events::NameRecord dns{.source = events::NameSource::kDns, .name = "api.test", .address = "10.0.0.1"};
  events::NameRecord said{.source = events::NameSource::kSni, .name = "v6.test", .address = "2001:db8::1", .port = 443, .cookie = 7};
  CHECK(names_at("10.0.0.1:8443", {dns, dns}) == std::vector<std::string>{"api.test"});
  CHECK(names_at("10.0.0.2:8443", {dns}).empty());
  CHECK(names_at("[2001:db8::1]:443", {said}) == std::vector<std::string>{"v6.test"});
  CHECK(names_at("[2001:db8::1]:8443", {said}).empty());
  said.address = dns.address;
  CHECK(names_at("10.0.0.1:443", {dns, said}) == std::vector<std::string>{"v6.test"});
  CHECK(names_at("10.0.0.1:8443", {dns, said}) == std::vector<std::string>{"api.test"});
  CHECK(names_at(std::nullopt, {dns, said}).empty());
}

TEST_CASE("what is under way between phases is added up by edge") {
  CHECK(derive(EvidenceBuilder{}).edges.empty());
  const auto found = derive(changed([](test::Evidence& evidence) {
    const auto add = [&](std::int64_t t_ns, std::int64_t age_ns, std::uint8_t state) {
      auto event = evidence.kernel_events.back();
      event.raw.kind = BROWNOUT_EVENT_IN_FLIGHT;
      event.raw.flags &= ~static_cast<std::uint32_t>(BROWNOUT_EVENT_CALL_FAILED);
      event.raw.t_mono_ns = static_cast<std::uint64_t>(t_ns);
      event.raw.call_start_ns = static_cast<std::uint64_t>(t_ns - age_ns);
      event.raw.duration_ns = static_cast<std::uint64_t>(age_ns);
      event.raw.old_state = event.raw.new_state = state;
      evidence.kernel_events.push_back(event);
    };
    add(test::kWindowStart, 5'000'000, TCP_ESTABLISHED);
    add(test::kWindowStart + 100'000, 9'000'000, TCP_ESTABLISHED);
    add(test::kWindowStart + 200'000, 7'000'000, TCP_SYN_SENT);
    add(test::kWindowEnd, 1'000'000, TCP_CLOSE_WAIT);
  }));
  REQUIRE(found.edges.size() == 2);
  CHECK(found.edges[0].calls == 2);
  CHECK(found.edges[0].connects == 1);
  CHECK(found.edges[0].oldest_ns == 9'000'000);
  CHECK(found.edges[0].ref.line_start > 0);
  CHECK(found.edges[1].calls == 1);
  CHECK(found.failures.size() == derive(EvidenceBuilder{}).failures.size());
}

TEST_CASE("recovery begins at the second from which all is well to the end") {
  const auto at_once = derive(EvidenceBuilder{});
  REQUIRE(at_once.recovered_after_s);
  CHECK(*at_once.recovered_after_s == 0);
  CHECK(at_once.recovery_rate_ratio == Approx(1).margin(0.05));

  const auto slow = changed([](test::Evidence& evidence) { // answers after 50 ms in the first 3 s of 8
    for (auto& sample : evidence.counters)
      if (sample.t_mono_ns > test::kWindowEnd && sample.t_mono_ns <= test::kWindowEnd + 3 * kSecond)
        for (auto& bucket : sample.histogram)
          bucket.bucket = static_cast<std::uint32_t>(kernel::histogram_bucket(50'000));
  });
  const auto later = derive(slow);
  REQUIRE(later.recovered_after_s);
  CHECK(*later.recovered_after_s == 3);

  CHECK_FALSE(derive(EvidenceBuilder{}.recovery_rate(10)).recovered_after_s);
}

TEST_CASE("a call that fails in recovery puts recovery off until after it") {
  const auto found = derive(changed([](test::Evidence& evidence) {
    auto failed = evidence.kernel_events.back();
    failed.raw.flags |= BROWNOUT_EVENT_CALL_FAILED;
    failed.raw.kind = BROWNOUT_EVENT_CLOSED_UNANSWERED;
    failed.raw.call_start_ns = static_cast<std::uint64_t>(test::kWindowEnd + 2 * kSecond + 1);
    evidence.kernel_events.push_back(failed);
  }));
  REQUIRE(found.recovered_after_s);
  CHECK(*found.recovered_after_s == 3);
  CHECK(found.failures_recovery == 1);
}

TEST_CASE("recovery is not measurable where the baseline has too few calls") {
  const auto found = derive(changed([](test::Evidence& evidence) {
    for (auto& sample : evidence.counters) sample.histogram.resize(std::min<std::size_t>(1, sample.histogram.size()));
  }));
  CHECK_FALSE(found.recovery_measurable);
}

TEST_CASE("gaps in the sequence are losses, explained or not") {
  auto lose = [](bool counted) {
    return derive(changed([counted](test::Evidence& evidence) {
      evidence.kernel_events.erase(evidence.kernel_events.begin() + 5, evidence.kernel_events.begin() + 8);
      if (!counted) return;
      for (auto& sample : evidence.counters) {
        sample.trace.details_lost += 3;
        sample.trace.events_written -= std::min<std::uint64_t>(sample.trace.events_written, 3);
      }
    }));
  };
  CHECK(lose(false).sequence_gaps == 3);
  CHECK(lose(false).events_unaccounted == 3);
  CHECK(lose(true).sequence_gaps == 3);
  CHECK(lose(true).events_unaccounted == 0);
}

TEST_CASE("events that were written and never read are missing although no number is") {
  const auto found = derive(changed([](test::Evidence& evidence) { evidence.kernel_events.pop_back(); }));
  CHECK(found.sequence_gaps == 0);
  CHECK(found.events_unaccounted == 1);
}

TEST_CASE("an event under way while the last sample was taken is not missing") {
  const auto found = derive(changed([](test::Evidence& evidence) {
    evidence.counters.back().trace.events_attempted += 2;
    evidence.counters.back().trace.events_written += 1;
  }));
  CHECK(found.events_unaccounted == 0);
}

TEST_CASE("slew is not a step") {
  const auto with = [](std::int64_t change) {
    return derive(
        changed([change](test::Evidence& evidence) { evidence.clocks.back().realtime_offset_ns += change; }));
  };
  CHECK(with(15'000'000).clock_step_ns == 0); // 500 ppm of 43 s are 21.5 ms
  CHECK(with(kSecond).clock_step_ns == Approx(kSecond - 21'500'000).margin(100'000));
  CHECK(with(-kSecond).clock_step_ns == Approx(-kSecond + 21'500'000).margin(100'000));
}

TEST_CASE("the delay line's books") {
  CHECK(derive(EvidenceBuilder{}).conservation_holds);
  const auto with = [](std::function<void(kernel::LineCounters&)> change) {
    return derive(changed([change](test::Evidence& evidence) {
      for (auto& sample : evidence.counters)
        if (sample.injecting) change(sample.line[0]);
    }));
  };
  CHECK_FALSE(with([](kernel::LineCounters& line) { line.received -= line.received / 2; }).conservation_holds);
  CHECK_FALSE(with([](kernel::LineCounters& line) { line.reinjected -= line.reinjected / 2; }).conservation_holds);
  CHECK(with([](kernel::LineCounters& line) { // moved from one account to another
          line.expired = line.reinjected / 2;
          line.reinjected -= line.expired;
        }).conservation_holds);
}

TEST_CASE("the line's counters end with the line") {
  CHECK(derive(changed([](test::Evidence& evidence) {
          for (auto& sample : evidence.counters)
            if (sample.t_mono_ns > test::kWindowEnd) sample.line = {};
        })).conservation_holds);
  CHECK_FALSE(derive(changed([](test::Evidence& evidence) { // never received anything
                for (auto& sample : evidence.counters) sample.line = {};
              })).conservation_holds);
}

TEST_CASE("more retransmits than the namespace counted cannot be") {
  CHECK(derive(EvidenceBuilder{}).snmp_equal);
  const auto found = derive(changed([](test::Evidence& evidence) {
    for (auto& sample : evidence.counters) sample.trace.rtos *= 3;
  }));
  CHECK(found.snmp_violation.find("TcpExt.TCPTimeouts") != std::string::npos);
  CHECK_FALSE(found.snmp_equal);
}

TEST_CASE("no evidence at all is no crash") {
  const auto found = test::derive(test::demo_plan(), {});
  CHECK(found.calls.empty());
  CHECK(found.effects.size() == 3);
  CHECK_FALSE(found.effects[0].observed);
}

}  // namespace findings_calls_test
