// SPDX-License-Identifier: MIT
// DHCP and the metadata service are spared, and counted, unless the drill names them.
#include <catch2/catch_test_macros.hpp>

#include "support/inject_programs.hpp"

namespace kernel_inject_spared_test {

using namespace brownout;
using namespace brownout::test;

namespace {

constexpr int E = BROWNOUT_EGRESS, I = BROWNOUT_INGRESS;

Packet out(const std::string& to) { return Packet{}.ipv4("10.0.0.2", to); }
Packet in(const std::string& from) { return Packet{}.ipv4(from, "10.0.0.2"); }
Packet out6(const std::string& to) { return Packet{}.ipv6("fd00::2", to); }

struct Row {
  const char* what;
  int direction;
  Packet packet;
};

std::vector<Row> dhcp() {
  return {
      {"a client asks", E, Packet{}.ipv4("0.0.0.0", "255.255.255.255").udp(68, 67)},
      {"a server answers", I, in("10.0.0.1").udp(67, 68)},
      {"a container that is the server", I, in("10.0.0.9").udp(68, 67)},
      {"a relay", E, out("192.0.2.7").udp(67, 67)},
      {"from a port of its own", E, out("192.0.2.7").udp(40000, 67)},
      {"DHCPv6", E, Packet{}.ipv6("fe80::2", "ff02::1:2").udp(546, 547)},
      {"an answer of DHCPv6", I, Packet{}.ipv6("fe80::1", "fe80::2").udp(547, 546)},
  };
}

std::vector<Row> metadata() {
  return {
      {"a cloud's metadata service", E, out("169.254.169.254").tcp(40000, 80)},
      {"its answer", I, in("169.254.169.254").tcp(80, 40000)},
      {"a ping to it", E, out("169.254.169.254").icmp(8)},
      {"ECS", E, out("169.254.170.2").tcp(40000, 80)},
      {"EKS", E, out("169.254.170.23").tcp(40000, 80)},
      {"Alibaba Cloud", E, out("100.100.100.200").tcp(40000, 80)},
      {"EC2 by IPv6", E, out6("fd00:ec2::254").tcp(40000, 80)},
      {"its answer by IPv6", I, Packet{}.ipv6("fd00:ec2::254", "fd00::2").tcp(80, 40000)},
      {"EKS by IPv6", E, out6("fd00:ec2::23").tcp(40000, 80)},
      {"Google Cloud by IPv6", E, out6("fd20:ce::254").tcp(40000, 80)},
  };
}

std::vector<Row> alike() {
  return {
      {"a DHCP port of TCP", E, out("192.0.2.7").tcp(68, 67)},
      {"ports beside DHCP's", E, out("192.0.2.7").udp(66, 69)},
      {"ports beside DHCPv6's", E, out6("2001:db8::7").udp(545, 548)},
      {"an address beside it", E, out("169.254.169.253").tcp(40000, 80)},
      {"the container's own address", E, Packet{}.ipv4("169.254.169.254", "192.0.2.7").tcp(80, 40000)},
      {"another network's ::254", E, out6("fd00:ec3::254").tcp(40000, 80)},
      {"another host of that network", E, out6("fd00:ec2::1:254").tcp(40000, 80)},
  };
}

plan::Plan hole(__u32 allowed) {
  auto plan = plan_of({FaultBuilder::blackhole()});
  plan.allowed = allowed;
  return plan;
}

// What of `row` was counted: [dhcp, metadata] in its direction.
void check(const Row& row, __u32 allowed, bool hit, std::uint64_t spared_dhcp, std::uint64_t spared_metadata) {
  INFO(row.what << ", allowed " << allowed);
  InjectPrograms programs{hole(allowed)};
  const auto outcome = programs.meet(row.direction, row.packet);
  const int dropped = row.direction == E ? kDropped : kRedirected;
  CHECK(outcome.verdict == (hit ? dropped : kPassed));
  const auto d = static_cast<std::uint32_t>(row.direction);
  CHECK(programs.fault(0, d).matched.packets == hit);
  const auto counters = programs.counters();
  CHECK(counters.spared_dhcp[d] == spared_dhcp);
  CHECK(counters.spared_metadata[d] == spared_metadata);
  CHECK(counters.spared_dhcp[1 - d] + counters.spared_metadata[1 - d] == 0);
  CHECK(counters.seen[d].packets == 1);
}

}  // namespace

TEST_CASE("DHCP is spared, and counted, unless it is allowed") {
  for (const Row& row : dhcp()) {
    check(row, 0, false, 1, 0);
    check(row, BROWNOUT_ALLOW_METADATA, false, 1, 0);
    check(row, BROWNOUT_ALLOW_DHCP, true, 0, 0);
  }
}

TEST_CASE("the metadata service is spared, and counted, unless it is allowed") {
  for (const Row& row : metadata()) {
    check(row, 0, false, 0, 1);
    check(row, BROWNOUT_ALLOW_DHCP, false, 0, 1);
    check(row, BROWNOUT_ALLOW_METADATA, true, 0, 0);
  }
}

TEST_CASE("what only looks like it is hit") {
  for (const Row& row : alike()) check(row, 0, true, 0, 0);
}

TEST_CASE("what no fault matches, or none may act on now, is not counted as spared") {
  const Packet packet = out("169.254.169.254").tcp(40000, 80);
  InjectPrograms elsewhere{plan_of({FaultBuilder::blackhole().port(443)})};
  elsewhere.egress(packet);
  CHECK(elsewhere.counters().spared_metadata[E] == 0);
  InjectPrograms unarmed{hole(0)};
  unarmed.control().armed = 0;
  unarmed.egress(packet);
  CHECK(unarmed.counters().spared_metadata[E] == 0);
}

TEST_CASE("what is spared goes through no delay line, while draining neither") {
  InjectPrograms programs{plan_of({FaultBuilder::latency(std::chrono::milliseconds{100})})};
  CHECK(programs.egress(out("192.0.2.7").udp(68, 67)).verdict == kPassed);
  programs.control().draining = 1;
  CHECK(programs.egress(out("192.0.2.7").udp(68, 67)).verdict == kPassed);
  CHECK(programs.counters().spared_dhcp[E] == 2);
  CHECK(programs.counters().redirected[E].packets == 0);
}

}  // namespace kernel_inject_spared_test
