// SPDX-License-Identifier: MIT
// What happens to a packet that a fault matches: draws, precedence, counters, safety.
#include <algorithm>
#include <cmath>

#include <catch2/catch_test_macros.hpp>

#include "brownout/abi/random.h"
#include "support/inject_programs.hpp"

namespace kernel_inject_decide_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

Packet request(std::size_t payload = 100) {
  return Packet{}.ipv4("10.0.0.2", "192.0.2.7").tcp(40000, 443).payload(payload);
}
Packet reply(std::size_t payload = 100) {
  return Packet{}.ipv4("192.0.2.7", "10.0.0.2").tcp(443, 40000).payload(payload);
}
brownout_flow_key the_flow() { return flow_key("10.0.0.2", 40000, "192.0.2.7", 443, IPPROTO_TCP); }

std::vector<bool> drops(InjectPrograms& programs, int packets) {
  std::vector<bool> dropped;
  for (int i = 0; i < packets; ++i) dropped.push_back(programs.egress(request()).verdict == kDropped);
  return dropped;
}

brownout_line_header line_header(const std::vector<std::uint8_t>& bytes) {
  brownout_line_header header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

}  // namespace

TEST_CASE("loss drops at its rate, and as anyone can recompute") {
  constexpr int kPackets = 4000;
  constexpr double kRate = 0.05;
  InjectPrograms programs{plan_of({FaultBuilder::loss(kRate)}, 7)};
  const auto dropped = drops(programs, kPackets);
  const auto count = std::count(dropped.begin(), dropped.end(), true);
  const double sigma = std::sqrt(kPackets * kRate * (1 - kRate));
  CHECK(std::abs(static_cast<double>(count) - kPackets * kRate) < 4 * sigma);

  const auto key = the_flow();
  std::uint64_t words[BROWNOUT_FLOW_KEY_WORDS];
  std::memcpy(words, &key, sizeof words);
  const auto threshold = static_cast<std::uint64_t>(kRate * 4294967296.0);
  for (std::uint64_t n = 0; n < kPackets; ++n) {
    const auto draw = brownout_draw(brownout_packet_state(7, reinterpret_cast<__u64*>(words), BROWNOUT_EGRESS, n), 0);
    REQUIRE(dropped[n] == (brownout_hit(draw, threshold) != 0));
  }
}

TEST_CASE("the same seed decides the same, another seed does not") {
  const auto run = [](std::uint64_t seed) {
    InjectPrograms programs{plan_of({FaultBuilder::loss(0.5)}, seed)};
    return drops(programs, 200);
  };
  CHECK(run(1) == run(1));
  CHECK(run(1) != run(2));
}

TEST_CASE("two faults draw independently") {
  InjectPrograms programs{plan_of({FaultBuilder::loss(0.5), FaultBuilder::loss(0.5)}, 11)};
  drops(programs, 2000);
  const auto first = programs.fault(0, BROWNOUT_EGRESS), second = programs.fault(1, BROWNOUT_EGRESS);
  CHECK(first.matched.packets == 2000);
  CHECK(second.matched.packets == 2000);
  // A packet that both decide to drop is applied to the first: a quarter of all.
  CHECK(first.applied.packets == first.decided.packets);
  const auto both = second.decided.packets - second.applied.packets;
  CHECK(both > 400);
  CHECK(both < 600);
}

TEST_CASE("rates at the ends drop everything and nothing") {
  InjectPrograms all{plan_of({FaultBuilder::loss(1.0)})};
  InjectPrograms none{plan_of({FaultBuilder::loss(0.0)})};
  for (int i = 0; i < 200; ++i) {
    CHECK(all.egress(request()).verdict == kDropped);
    CHECK(all.ingress(reply()).verdict == kRedirected);  // to no device: dropped without the sender's knowing
    CHECK(none.egress(request()).verdict == kPassed);
  }
  CHECK(all.fault(0, BROWNOUT_INGRESS).applied.packets == 200);
  CHECK(none.fault(0, BROWNOUT_EGRESS).matched.packets == 200);
  CHECK(none.fault(0, BROWNOUT_EGRESS).decided.packets == 0);
}

TEST_CASE("blackhole goes before loss, and loss before delay") {
  InjectPrograms programs{plan_of({FaultBuilder::latency(1s), FaultBuilder::loss(1.0), FaultBuilder::blackhole()})};
  CHECK(programs.egress(request()).verdict == kDropped);
  CHECK(programs.fault(2, BROWNOUT_EGRESS).applied.packets == 1);
  for (const std::uint32_t not_applied : {0U, 1U}) {
    CHECK(programs.fault(not_applied, BROWNOUT_EGRESS).decided.packets == 1);
    CHECK(programs.fault(not_applied, BROWNOUT_EGRESS).applied.packets == 0);
  }
  CHECK(programs.maps.flow(the_flow()).dropped[BROWNOUT_EGRESS] == 1);
  CHECK(programs.maps.flow(the_flow()).held[BROWNOUT_EGRESS] == 0);
}

TEST_CASE("delays add up and travel in front of the packet") {
  InjectPrograms programs{plan_of({FaultBuilder::latency(100ms), FaultBuilder::latency(50ms).directions(kEgressOnly)})};
  const auto sent = request().build();
  const auto out = programs.egress(request());
  REQUIRE(out.verdict == kRedirected);
  CHECK(out.mark == (kTokens.mark | BROWNOUT_EGRESS));
  REQUIRE(out.bytes.size() == sent.size() + BROWNOUT_LINE_HEADER_LENGTH);
  CHECK(std::equal(sent.begin(), sent.end(), out.bytes.begin() + BROWNOUT_LINE_HEADER_LENGTH));
  const auto header = line_header(out.bytes);
  CHECK(header.magic == kTokens.magic);
  CHECK(header.direction == BROWNOUT_EGRESS);
  CHECK(header.flags == 0);
  CHECK(header.departure_ns - header.arrival_ns == 150'000'000);

  const auto in = programs.ingress(reply());
  REQUIRE(in.verdict == kRedirected);
  CHECK(line_header(in.bytes).direction == BROWNOUT_INGRESS);
  CHECK(line_header(in.bytes).departure_ns - line_header(in.bytes).arrival_ns == 100'000'000);
  const auto flow = programs.maps.flow(the_flow());
  CHECK(flow.held[BROWNOUT_EGRESS] == 1);
  CHECK(flow.held[BROWNOUT_INGRESS] == 1);
  CHECK(flow.packets[BROWNOUT_EGRESS] == 1);
  CHECK(programs.fault(1, BROWNOUT_EGRESS).applied.packets == 1);
  CHECK(programs.fault(1, BROWNOUT_INGRESS).matched.packets == 0);
}

TEST_CASE("jitter stays within its bounds, is used whole, and keeps a flow's order") {
  InjectPrograms programs{plan_of({FaultBuilder::latency(100ms, 20ms)}, 3)};
  std::uint64_t last = 0, least = ~0ULL, most = 0;
  for (int i = 0; i < 500; ++i) {
    const auto header = line_header(programs.egress(request()).bytes);
    CHECK(header.departure_ns >= last);
    last = header.departure_ns;
    // A flow of its own each time shows the draw itself.
    const auto alone = Packet{}.ipv4("10.0.0.2", "192.0.2.7").udp(static_cast<std::uint16_t>(1000 + i), 443);
    const auto drawn = line_header(programs.egress(alone).bytes);
    const std::uint64_t delay = drawn.departure_ns - drawn.arrival_ns;
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  CHECK(least >= 80'000'000);
  CHECK(least < 82'000'000);
  CHECK(most <= 120'000'000);
  CHECK(most > 118'000'000);
}

TEST_CASE("nothing is hit before arming, after the deadline, or when a beat is old") {
  InjectPrograms programs{plan_of({FaultBuilder::latency(1s), FaultBuilder::loss(1.0).port(443)})};
  auto& control = programs.control();
  const auto now = static_cast<std::uint64_t>(boottime_ns());
  const auto other = Packet{}.ipv4("10.0.0.2", "192.0.2.7").tcp(40000, 80);

  SECTION("unarmed") {
    control.armed = 0;
    CHECK(programs.egress(request()).verdict == kPassed);
    CHECK(programs.counters().seen[BROWNOUT_EGRESS].packets == 1);
    CHECK(programs.counters().deadline_passed[BROWNOUT_EGRESS] == 0);
  }
  SECTION("deadline passed") {
    control.deadline_boot_ns = now;
    CHECK(programs.egress(request()).verdict == kPassed);
    CHECK(programs.ingress(reply()).verdict == kPassed);
    CHECK(programs.counters().deadline_passed[BROWNOUT_EGRESS] == 1);
    CHECK(programs.counters().deadline_passed[BROWNOUT_INGRESS] == 1);
  }
  SECTION("the drill's own beat is old") {
    control.heartbeat_limit_ns = 1'000'000'000;
    control.heartbeat_boot_ns = now - 2'000'000'000;
    CHECK(programs.egress(request()).verdict == kPassed);
    CHECK(programs.counters().heartbeat_stale[BROWNOUT_EGRESS] == 1);
  }
  SECTION("the queue's beat is old: no delay in that direction, loss goes on") {
    control.heartbeat_limit_ns = 1'000'000'000;
    control.heartbeat_boot_ns = now + 1'000'000'000;  // newer than the reader's clock is fresh
    control.line_heartbeat_boot_ns[BROWNOUT_EGRESS] = now - 2'000'000'000;
    control.line_heartbeat_boot_ns[BROWNOUT_INGRESS] = now;
    CHECK(programs.egress(other).verdict == kPassed);
    CHECK(programs.egress(request()).verdict == kDropped);
    CHECK(programs.ingress(Packet{}.ipv4("192.0.2.7", "10.0.0.2").tcp(80, 40000)).verdict == kRedirected);
    CHECK(programs.counters().heartbeat_stale[BROWNOUT_EGRESS] == 1);
    CHECK(programs.counters().redirected[BROWNOUT_EGRESS].packets == 0);
    CHECK(programs.counters().redirected[BROWNOUT_INGRESS].packets == 1);
  }
  for (const std::uint32_t fault : {0U, 1U})
    if (control.armed == 0) CHECK(programs.fault(fault, BROWNOUT_EGRESS).matched.packets == 0);
}

TEST_CASE("draining turns loss off and lets packets depart at once") {
  InjectPrograms programs{plan_of({FaultBuilder::latency(10s).port(443), FaultBuilder::loss(1.0).port(80)})};
  const auto held = line_header(programs.ingress(reply()).bytes);
  programs.control().draining = 1;
  const auto out = programs.egress(request());
  REQUIRE(out.verdict == kRedirected);
  CHECK(line_header(out.bytes).departure_ns == line_header(out.bytes).arrival_ns);
  // Not before what is still held of its flow: the line itself sends all of it at once.
  CHECK(line_header(programs.ingress(reply()).bytes).departure_ns == held.departure_ns);
  CHECK(programs.egress(Packet{}.ipv4("10.0.0.2", "192.0.2.7").tcp(1, 80)).verdict == kPassed);
  CHECK(programs.fault(1, BROWNOUT_EGRESS).matched.packets == 0);
  CHECK(programs.counters().redirected[BROWNOUT_EGRESS].packets == 1);
}

TEST_CASE("departures of an earlier plan do not hold a flow back") {
  InjectPrograms programs{plan_of({FaultBuilder::latency(100ms, 10ms)})};
  brownout_flow before{};
  before.last_departure_ns[BROWNOUT_EGRESS] = static_cast<std::uint64_t>(monotonic_ns()) + 60'000'000'000;
  programs.maps.put_flow(the_flow(), before);
  const auto header = line_header(programs.egress(request()).bytes);
  CHECK(header.departure_ns - header.arrival_ns <= 110'000'000);
}

TEST_CASE("a packet that came back from the delay line passes once, unmarked, and is not counted as seen again") {
  InjectPrograms programs{plan_of({FaultBuilder::latency(1s), FaultBuilder::blackhole()})};
  const auto back = programs.egress(request(), {.mark = kTokens.mark | BROWNOUT_EGRESS});
  CHECK(back.verdict == kPassed);
  CHECK(back.mark == 0);
  CHECK(programs.counters().reinjected[BROWNOUT_EGRESS].packets == 1);
  CHECK(programs.counters().seen[BROWNOUT_EGRESS].packets == 0);
  // Another direction's mark is no pass.
  CHECK(programs.ingress(reply(), {.mark = kTokens.mark | BROWNOUT_EGRESS}).verdict == kRedirected);
  CHECK(programs.counters().seen[BROWNOUT_INGRESS].packets == 1);
}

TEST_CASE("the delay line's device takes our packets only") {
  InjectPrograms programs{plan_of({FaultBuilder::latency(1s)})};
  CHECK(programs.guard(request(), {.mark = kTokens.mark | BROWNOUT_INGRESS}).verdict == kPassed);
  CHECK(programs.guard(request(), {.mark = 0}).verdict == kDropped);
  CHECK(programs.guard(request(), {.mark = kTokens.mark ^ 4U}).verdict == kDropped);
  CHECK(programs.counters().tap_foreign == 2);
}

TEST_CASE("counters are in packets, wire segments and bytes") {
  InjectPrograms programs{plan_of({FaultBuilder::blackhole()})};
  programs.egress(request(2896), {.gso_size = 1448, .gso_segs = 2});
  programs.egress(request(3000), {.gso_size = 1448, .gso_segs = 0});  // as after the delay line: computed
  programs.egress(request(100));
  const auto seen = programs.counters().seen[BROWNOUT_EGRESS];
  CHECK(seen.packets == 3);
  CHECK(seen.segments == 2 + 3 + 1);
  CHECK(seen.bytes == request(2896).build().size() + request(3000).build().size() + request(100).build().size());
  CHECK(programs.fault(0, BROWNOUT_EGRESS).applied.segments == 6);
  CHECK(programs.fault(0, BROWNOUT_EGRESS).applied.bytes == seen.bytes);
}

TEST_CASE("payload that nobody can watch is counted") {
  InjectPrograms programs{plan_of({FaultBuilder::loss(0.0)})};
  programs.egress(request(0));  // an acknowledgement, padded to Ethernet's minimum
  CHECK(programs.counters().payload_not_traced == 0);
  programs.egress(request(1));
  CHECK(programs.counters().payload_not_traced == 1);
  brownout_flow traced{};
  traced.traced = 1;
  programs.maps.put_flow(the_flow(), traced);
  programs.egress(request(1));
  programs.ingress(reply(1));
  CHECK(programs.counters().payload_not_traced == 1);
  CHECK(programs.maps.flow(the_flow()).traced == 1);

  programs.egress(Packet{}.ipv4("10.0.0.2", "192.0.2.7").udp(40000, 53).payload(30));
  CHECK(programs.counters().udp_payload == 0);
  programs.egress(Packet{}.ipv4("10.0.0.2", "192.0.2.7").udp(40000, 443).payload(30));
  programs.ingress(Packet{}.ipv6("2001:db8::7", "fd00::2").udp(443, 40000).payload(30));
  CHECK(programs.counters().udp_payload == 2);
}

TEST_CASE("sixteen faults at once are verified and all of them are asked") {
  std::vector<FaultBuilder> faults;
  for (std::uint16_t i = 0; i < BROWNOUT_MAX_FAULTS; ++i) {
    auto fault = i % 3 == 0   ? FaultBuilder::latency(10ms, 5ms)
                 : i % 3 == 1 ? FaultBuilder::loss(0.0)
                              : FaultBuilder::blackhole();
    if (i % 3 == 2) fault.port(static_cast<std::uint16_t>(9000 + i));
    faults.push_back(fault.cidr("192.0.2.0", 24));
  }
  InjectPrograms programs{plan_of(faults)};
  CHECK(programs.egress(request()).verdict == kRedirected);
  for (std::uint32_t i = 0; i < BROWNOUT_MAX_FAULTS; ++i) CHECK(programs.fault(i, 0).matched.packets == (i % 3 != 2));
  CHECK(programs.egress(Packet{}.ipv4("10.0.0.2", "192.0.2.7").udp(1, 9014)).verdict == kDropped);
  CHECK(programs.fault(14, 0).applied.packets == 1);
}

TEST_CASE("a full flow table is counted, and the draw stays a draw") {
  InjectPrograms programs{plan_of({FaultBuilder::loss(0.5)})};
  auto key = the_flow();
  for (std::uint32_t i = 0; i < BROWNOUT_MAX_FLOWS; ++i) {
    key.local_port = static_cast<std::uint16_t>(i);
    key.peer_port = 1;
    programs.maps.put_flow(key, {});
  }
  const auto dropped = drops(programs, 400);
  CHECK(programs.counters().flow_table_full == 400);
  const auto count = std::count(dropped.begin(), dropped.end(), true);
  CHECK(count > 120);
  CHECK(count < 280);
}

}  // namespace kernel_inject_decide_test
