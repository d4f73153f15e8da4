// SPDX-License-Identifier: MIT
// What the drill caps is kept by the programs themselves: nothing is hit beyond it, and what is let through is counted.
#include <cstdint>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "support/inject_programs.hpp"

namespace kernel_inject_caps_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kPayload = 100;

Packet request(std::uint16_t local_port = 40000) {
  return Packet{}.ipv4("10.0.0.2", "192.0.2.7").tcp(local_port, 443).payload(kPayload);
}
Packet reply(std::uint16_t local_port = 40000) {
  return Packet{}.ipv4("192.0.2.7", "10.0.0.2").tcp(443, local_port).payload(kPayload);
}

plan::Plan capped_plan(const FaultBuilder& fault, const drill::Caps& caps) {
  auto plan = plan_of({fault}, 7);
  plan.drill.caps = caps;
  return plan;
}

int hit(InjectPrograms& programs, int packets, std::uint16_t local_port = 40000) {
  int count = 0;
  for (int i = 0; i < packets; ++i) count += programs.egress(request(local_port)).verdict != kPassed ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("as many packets are hit as the cap allows, in both directions together") {
  InjectPrograms programs{capped_plan(FaultBuilder::loss(1.0), {.max_packets = 5})};
  CHECK(hit(programs, 3) == 3);
  CHECK(programs.ingress(reply()).verdict == kRedirected);
  CHECK(programs.ingress(reply()).verdict == kRedirected);
  CHECK(programs.ingress(reply()).verdict == kPassed);
  CHECK(hit(programs, 10) == 0);
  CHECK(programs.counters().capped[BROWNOUT_CAP_PACKETS] == 11);
  CHECK(programs.fault(0, BROWNOUT_EGRESS).applied.packets + programs.fault(0, BROWNOUT_INGRESS).applied.packets == 5);
}

TEST_CASE("packets that no fault takes do not count towards the cap") {
  InjectPrograms programs{capped_plan(FaultBuilder::loss(0.5), {.max_packets = 100})};
  CHECK(hit(programs, 150) < 100);
  CHECK(programs.counters().capped[BROWNOUT_CAP_PACKETS] == 0);
  CHECK(hit(programs, 1000) < 100);
  CHECK(programs.fault(0, BROWNOUT_EGRESS).applied.packets == 100);
}

TEST_CASE("a super-packet counts as what it is on the wire") {
  InjectPrograms programs{capped_plan(FaultBuilder::loss(1.0), {.max_packets = 5})};
  const auto large = Packet{}.ipv4("10.0.0.2", "192.0.2.7").tcp(40000, 443).payload(3000);
  CHECK(programs.egress(large, {.gso_size = 1000, .gso_segs = 3}).verdict == kDropped);
  CHECK(programs.egress(large, {.gso_size = 1000, .gso_segs = 3}).verdict == kPassed);
}

TEST_CASE("bytes are capped, from the Ethernet header on") {
  const auto length = request().build().size();
  InjectPrograms programs{capped_plan(FaultBuilder::latency(1s), {.max_bytes = 4 * length + 1})};
  CHECK(hit(programs, 10) == 4);
  CHECK(programs.counters().capped[BROWNOUT_CAP_BYTES] == 6);
  CHECK(programs.counters().capped[BROWNOUT_CAP_PACKETS] == 0);
}

TEST_CASE("the flows that were met first stay hit, and no other one is") {
  InjectPrograms programs{capped_plan(FaultBuilder::loss(1.0), {.max_connections = 2})};
  CHECK(hit(programs, 3, 40000) == 3);
  CHECK(hit(programs, 3, 40001) == 3);
  CHECK(hit(programs, 3, 40002) == 0);
  CHECK(programs.ingress(reply(40001)).verdict == kRedirected);
  CHECK(hit(programs, 3, 40000) == 3);
  CHECK(programs.counters().capped[BROWNOUT_CAP_CONNECTIONS] == 3);
  CHECK(programs.fault(0, BROWNOUT_EGRESS).matched.packets == 9);
}

TEST_CASE("without caps nothing is counted") {
  InjectPrograms programs{capped_plan(FaultBuilder::loss(1.0), {})};
  CHECK(hit(programs, 50) == 50);
  for (const auto passed : programs.counters().capped) CHECK(passed == 0);
}

TEST_CASE("CPUs that hit at once do not pass the cap together") {
  constexpr std::uint64_t kCap = 1000;
  constexpr int kEach = 2000;
  InjectPrograms programs{capped_plan(FaultBuilder::loss(1.0), {.max_packets = kCap})};
  std::vector<std::thread> senders;
  for (std::uint16_t i = 0; i < 4; ++i)
    senders.emplace_back([&programs, i] { hit(programs, kEach, static_cast<std::uint16_t>(40000 + i)); });
  for (auto& sender : senders) sender.join();
  const auto applied = programs.fault(0, BROWNOUT_EGRESS).applied.packets;
  CHECK(applied <= kCap);
  CHECK(applied + programs.counters().capped[BROWNOUT_CAP_PACKETS] == 4 * kEach);
  CHECK(applied > kCap - 8); // as many CPUs at most gave way to each other
}

}  // namespace kernel_inject_caps_test
