// SPDX-License-Identifier: MIT
// Jitter in the kernel: what the programs decide is what user space recomputes, for every distribution.
#include <cstring>

#include <catch2/catch_test_macros.hpp>

#include "../../userspace/kernel/delay_figures.hpp"
#include "support/decisions.hpp"
#include "support/inject_programs.hpp"

namespace kernel_inject_jitter_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;
using drill::Distribution;

namespace {

constexpr int kPackets = 600;
constexpr Distribution kAll[] = {Distribution::kUniform, Distribution::kNormal, Distribution::kPareto,
                                 Distribution::kParetoNormal};

Packet request() { return Packet{}.ipv4("10.0.0.2", "192.0.2.7").udp(40000, 443).payload(20); }
brownout_flow_key the_flow() { return flow_key("10.0.0.2", 40000, "192.0.2.7", 443, IPPROTO_UDP); }

brownout_line_header header_of(const Outcome& outcome) {
  brownout_line_header header{};
  REQUIRE(outcome.verdict == kRedirected);
  std::memcpy(&header, outcome.bytes.data(), sizeof header);
  return header;
}

std::uint64_t held_for(const Outcome& outcome) {
  const auto header = header_of(outcome);
  return header.departure_ns - header.arrival_ns;
}

}  // namespace

TEST_CASE("the programs decide as user space recomputes, with and without correlation") {
  for (const auto distribution : kAll)
    for (const double correlation : {0.0, 0.3, 0.9}) {
      INFO("distribution " << static_cast<int>(distribution) << ", correlation " << correlation);
      const auto plan = plan_of(
          {FaultBuilder::latency(100ms, 30ms).distribution(distribution).correlation(correlation).reorder()}, 9);
      InjectPrograms programs{plan};
      const auto state = flow_state_of(9, the_flow(), BROWNOUT_EGRESS);
      std::uint64_t clamped = 0;
      for (std::uint64_t n = 0; n < kPackets; ++n) {
        const auto decided = decided_delay(plan, 0, state, n);
        clamped += decided < 0;
        REQUIRE(held_for(programs.egress(request())) == static_cast<std::uint64_t>(std::max<std::int64_t>(decided, 0)));
      }
      CHECK(programs.fault(0, BROWNOUT_EGRESS).clamped == clamped);
    }
}

TEST_CASE("several faults draw from their own tables, and their delays add up") {
  const auto plan = plan_of({FaultBuilder::latency(50ms, 5ms).distribution(Distribution::kPareto).reorder(),
                             FaultBuilder::loss(0.0),
                             FaultBuilder::latency(40ms, 4ms).distribution(Distribution::kNormal).correlation(0.5).reorder(),
                             FaultBuilder::latency(30ms, 3ms).correlation(0.5).reorder()});
  InjectPrograms programs{plan};
  const auto state = flow_state_of(plan.seed, the_flow(), BROWNOUT_EGRESS);
  for (std::uint64_t n = 0; n < kPackets; ++n) {
    std::int64_t sum = 0;
    for (const std::size_t fault : {0U, 2U, 3U}) sum += decided_delay(plan, fault, state, n);
    REQUIRE(held_for(programs.egress(request())) == static_cast<std::uint64_t>(sum));
  }
}

TEST_CASE("a jitter that reaches below zero means no delay, and is counted") {
  const auto plan = plan_of({FaultBuilder::latency(20ms, 20ms).distribution(Distribution::kNormal).reorder()});
  InjectPrograms programs{plan};
  const auto state = flow_state_of(plan.seed, the_flow(), BROWNOUT_EGRESS);
  std::uint64_t clamped = 0, at_once = 0;
  for (std::uint64_t n = 0; n < kPackets; ++n) {
    clamped += decided_delay(plan, 0, state, n) < 0;
    at_once += held_for(programs.egress(request())) == 0;
  }
  CHECK(clamped > kPackets / 10);  // a normal deviate is below -1 in 16 % of all cases
  CHECK(clamped < kPackets / 4);
  CHECK(at_once == clamped);
  CHECK(programs.fault(0, BROWNOUT_EGRESS).clamped == clamped);
  CHECK(programs.fault(0, BROWNOUT_EGRESS).applied.packets == kPackets);
}

TEST_CASE("overtaking needs the leave of every fault that delays the packet") {
  const auto overtakes = [](const std::vector<FaultBuilder>& faults) {
    InjectPrograms programs{plan_of(faults)};
    std::uint64_t last = 0;
    int overtaken = 0;
    for (int i = 0; i < kPackets; ++i) {
      const auto departure = header_of(programs.egress(request())).departure_ns;
      overtaken += departure < last;
      last = std::max<std::uint64_t>(last, departure);
    }
    return overtaken;
  };
  const auto free = [] { return FaultBuilder::latency(100ms, 50ms).reorder(); };
  CHECK(overtakes({free()}) > kPackets / 2);
  CHECK(overtakes({free(), free()}) > kPackets / 2);
  CHECK(overtakes({FaultBuilder::latency(100ms, 50ms)}) == 0);
  CHECK(overtakes({free(), FaultBuilder::latency(1ms)}) == 0);
  // One that does not match this packet has no say.
  CHECK(overtakes({free(), FaultBuilder::latency(1ms).port(80)}) > kPackets / 2);
}

TEST_CASE("a packet that may not overtake stays behind those that did") {
  InjectPrograms programs{plan_of({FaultBuilder::latency(1s, 500ms).reorder()})};
  std::uint64_t last = 0;
  for (int i = 0; i < 50; ++i) last = std::max<std::uint64_t>(last, header_of(programs.egress(request())).departure_ns);
  CHECK(programs.maps.flow(the_flow()).last_departure_ns[BROWNOUT_EGRESS] == last);
  programs.control().draining = 1;
  CHECK(header_of(programs.egress(request())).departure_ns == last);
}

TEST_CASE("decided delays and what order added are in their histograms") {
  InjectPrograms programs{plan_of({FaultBuilder::latency(100ms, 50ms)})};
  std::uint64_t waited = 0;
  const auto plan = plan_of({FaultBuilder::latency(100ms, 50ms)});
  const auto state = flow_state_of(plan.seed, the_flow(), BROWNOUT_EGRESS);
  std::uint64_t longest = 0;
  for (std::uint64_t n = 0; n < kPackets; ++n) {
    const auto added = held_for(programs.egress(request())) - static_cast<std::uint64_t>(decided_delay(plan, 0, state, n));
    waited += added >= 1000;
    longest = std::max(longest, added / 1000);
  }
  const auto [out, in] = programs.delays();
  CHECK(out.packets == kPackets);
  CHECK(out.order_held == waited);
  CHECK(waited > kPackets / 2);
  CHECK(out.order_max_us <= longest);
  CHECK(out.order_max_us >= longest - longest / 60);
  CHECK(out.decided_p50_us > 90'000);
  CHECK(out.decided_p50_us < 110'000);
  CHECK(out.decided_max_us > 147'000);
  CHECK(out.decided_max_us <= 150'000);
  CHECK(in.packets == 0);
}

TEST_CASE("sixteen faults with tables and correlation are verified") {
  std::vector<FaultBuilder> faults;
  for (int i = 0; i < BROWNOUT_MAX_FAULTS; ++i)
    faults.push_back(FaultBuilder::latency(10ms, 5ms).distribution(kAll[i % 4]).correlation(0.9).reorder());
  const auto plan = plan_of(faults);
  InjectPrograms programs{plan};
  // The limit is a million; kernels differ in how much they need.
  INFO(programs.verified_instructions() << " instructions verified");
  CHECK(programs.verified_instructions() < 250'000);
  const auto state = flow_state_of(plan.seed, the_flow(), BROWNOUT_EGRESS);
  for (std::uint64_t n = 0; n < 100; ++n) {
    std::int64_t sum = 0;
    for (std::size_t fault = 0; fault < BROWNOUT_MAX_FAULTS; ++fault)
      sum += std::max<std::int64_t>(decided_delay(plan, fault, state, n), 0);
    REQUIRE(held_for(programs.egress(request())) == static_cast<std::uint64_t>(sum));
  }
}

}  // namespace kernel_inject_jitter_test
