// SPDX-License-Identifier: MIT
// What is on record of a packet that a fault hit: its headers and what was done, and nothing that it carries.
#include <algorithm>

#include <catch2/catch_test_macros.hpp>

#include "support/inject_programs.hpp"

namespace kernel_inject_capture_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

const std::string kSecret = "GET /v5/order?signature=hunter2";

plan::Plan capturing(std::vector<FaultBuilder> faults, std::uint64_t packets = 1000) {
  auto plan = plan_of(faults);
  plan.drill.capture = {.packets = packets};
  return plan;
}

Packet request() { return Packet{}.ipv4("10.0.0.2", "192.0.2.7").tcp(40000, 443); }

std::size_t captured_of(const Packet& packet) {
  InjectPrograms programs{capturing({FaultBuilder::blackhole()})};
  REQUIRE(programs.egress(packet).verdict == kDropped);
  const auto captures = programs.captures();
  REQUIRE(captures.size() == 1);
  const auto bytes = packet.build();
  CHECK(std::equal(captures[0].bytes, captures[0].bytes + captures[0].captured, bytes.begin()));
  CHECK(captures[0].length == bytes.size());
  return captures[0].captured;
}

}  // namespace

TEST_CASE("headers are captured up to the transport header's end, and nothing behind it") {
  CHECK(captured_of(request().payload(kSecret)) == 54);
  CHECK(captured_of(request().options({1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}).payload(kSecret)) == 66);
  CHECK(captured_of(Packet{}.vlan(7).ipv4("10.0.0.2", "192.0.2.7").tcp(1, 2).payload(kSecret)) == 58);
  CHECK(captured_of(Packet{}.ipv4("10.0.0.2", "192.0.2.7").udp(40000, 53).payload(kSecret)) == 42);
  CHECK(captured_of(Packet{}.ipv6("fd00::2", "2001:db8::7").tcp(1, 2).payload(kSecret)) == 74);
  CHECK(captured_of(Packet{}.ipv6("fd00::2", "2001:db8::7").extension(60).udp(1, 2).payload(kSecret)) == 70);
  // Of an ICMP message 8 bytes: behind them is what was echoed, or another packet.
  CHECK(captured_of(Packet{}.ipv4("10.0.0.2", "192.0.2.7").icmp(8).payload(kSecret)) == 42);
  CHECK(captured_of(Packet{}.ipv6("fd00::2", "2001:db8::7").icmp(128).payload(kSecret)) == 62);
  // What is no transport header that we know, or a later fragment without one, counts as payload.
  CHECK(captured_of(Packet{}.ipv4("10.0.0.2", "192.0.2.7").protocol(50).payload(kSecret)) == 34);
  CHECK(captured_of(Packet{}.ipv4("10.0.0.2", "192.0.2.7", 0x0010).protocol(6).payload(kSecret)) == 34);
  CHECK(captured_of(Packet{}.ipv4("10.0.0.2", "192.0.2.7", 0x0010).protocol(1).payload(kSecret)) == 34);
}

TEST_CASE("headers beyond 128 bytes are cut there") {
  auto packet = Packet{}.ipv6("fd00::2", "2001:db8::7");
  for (int i = 0; i < 5; ++i) packet.extension(60, 1);
  CHECK(captured_of(packet.tcp(1, 2).payload(kSecret)) == BROWNOUT_CAPTURE_BYTES);
}

TEST_CASE("a record says what was done, by which faults, and to which packet of its flow") {
  InjectPrograms programs{capturing({FaultBuilder::loss(0.5).directions(kEgressOnly), FaultBuilder::latency(300ms),
                                     FaultBuilder::latency(20ms).directions(kIngressOnly)})};
  int dropped = 0;
  std::vector<bool> outcomes;
  for (int i = 0; i < 50; ++i) outcomes.push_back(programs.egress(request().payload(kSecret)).verdict == kDropped);
  const auto captures = programs.captures();
  REQUIRE(captures.size() == outcomes.size());
  for (std::size_t i = 0; i < captures.size(); ++i) {
    const auto& record = captures[i];
    CHECK(record.number == i);
    CHECK(record.direction == BROWNOUT_EGRESS);
    CHECK(record.captured == 54);
    CHECK(record.tcp_at == 34);
    CHECK(record.bytes[0] == 0x02); // not the line's header, which is in front of a packet that is held
    CHECK(record.bytes[23] == IPPROTO_TCP);
    CHECK((record.verdict == BROWNOUT_CAPTURE_DROPPED) == outcomes[i]);
    CHECK(record.faults == (outcomes[i] ? 1 : 2));
    CHECK(record.drawn_ns == (outcomes[i] ? 0 : 300'000'000));
    CHECK(record.delay_ns == record.drawn_ns);
    dropped += outcomes[i] ? 1 : 0;
  }
  CHECK(dropped > 0);
  CHECK(dropped < 50);
  REQUIRE(programs.ingress(Packet{}.ipv4("192.0.2.7", "10.0.0.2").tcp(443, 40000)).verdict == kRedirected);
  const auto incoming = programs.captures();
  REQUIRE(incoming.size() == 1);
  CHECK(incoming[0].direction == BROWNOUT_INGRESS);
  CHECK(incoming[0].faults == 6);
  CHECK(incoming[0].delay_ns == 320'000'000);
}

TEST_CASE("what passes is not on record") {
  InjectPrograms programs{capturing({FaultBuilder::loss(0.5)})};
  int dropped = 0;
  for (int i = 0; i < 100; ++i) dropped += programs.egress(request()).verdict == kDropped ? 1 : 0;
  programs.control().draining = 1;
  programs.egress(request());
  CHECK(programs.captures().size() == static_cast<std::size_t>(dropped));
}

TEST_CASE("the bound is kept, and packets over it are counted") {
  InjectPrograms programs{capturing({FaultBuilder::blackhole()}, 7)};
  for (int i = 0; i < 20; ++i) programs.egress(request());
  for (int i = 0; i < 5; ++i) programs.ingress(Packet{}.ipv4("192.0.2.7", "10.0.0.2").tcp(443, 40000));
  const auto counters = programs.capture_counters();
  CHECK(counters.captured[BROWNOUT_EGRESS] == 7);
  CHECK(counters.beyond[BROWNOUT_EGRESS] == 13);
  CHECK(counters.beyond[BROWNOUT_INGRESS] == 5);
  CHECK(counters.lost[BROWNOUT_EGRESS] + counters.lost[BROWNOUT_INGRESS] == 0);
  CHECK(programs.captures().size() == 7);
}

TEST_CASE("what finds no room in the ring is counted as lost") {
  InjectPrograms programs{capturing({FaultBuilder::blackhole()}, 100'000)};
  constexpr int kMore = 30'000; // than fit into 4 MiB
  for (int i = 0; i < kMore; ++i) programs.egress(request());
  const auto counters = programs.capture_counters();
  CHECK(counters.lost[BROWNOUT_EGRESS] > 0);
  CHECK(counters.captured[BROWNOUT_EGRESS] + counters.lost[BROWNOUT_EGRESS] == kMore);
  CHECK(programs.captures().size() == counters.captured[BROWNOUT_EGRESS]);
}

TEST_CASE("the verifier takes sixteen faults with a capture as it does without") {
  std::vector<FaultBuilder> faults;
  for (int i = 0; i < BROWNOUT_MAX_FAULTS; ++i)
    faults.push_back(i % 2 == 0 ? FaultBuilder::loss(0.01) : FaultBuilder::latency(10ms, 5ms).correlation(0.5).port(443));
  const InjectPrograms programs{capturing(faults)};
  INFO(programs.verified_instructions() << " instructions verified");
  CHECK(programs.verified_instructions() < 250'000);
}

TEST_CASE("without a capture there is neither map nor code for it") {
  const InjectPrograms without{plan_of({FaultBuilder::loss(0.5), FaultBuilder::latency(1ms)})};
  const InjectPrograms with{capturing({FaultBuilder::loss(0.5), FaultBuilder::latency(1ms)})};
  CHECK_FALSE(without.has_capture_maps());
  CHECK(with.has_capture_maps());
  CHECK(without.translated_bytes() + 50 * 8 < with.translated_bytes());
}

}  // namespace kernel_inject_capture_test
