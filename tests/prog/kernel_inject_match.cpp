// SPDX-License-Identifier: MIT
// Which packets a fault hits: packet in, verdict out. The fault is a blackhole, so hit means dropped.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support/inject_programs.hpp"

namespace kernel_inject_match_test {

using namespace brownout;
using namespace brownout::test;

namespace {

// The container is 10.0.0.2 and fd00::2.
Packet out() { return Packet{}.ipv4("10.0.0.2", "192.0.2.7"); }
Packet in() { return Packet{}.ipv4("192.0.2.7", "10.0.0.2"); }
Packet out6() { return Packet{}.ipv6("fd00::2", "2001:db8::7"); }
Packet in6() { return Packet{}.ipv6("2001:db8::7", "fd00::2"); }
FaultBuilder hole() { return FaultBuilder::blackhole(); }

struct Row {
  const char* what;
  FaultBuilder fault;
  int direction;
  Packet packet;
  bool hit;
};

std::vector<Row> ports() {
  constexpr int E = BROWNOUT_EGRESS, I = BROWNOUT_INGRESS;
  return {
      {"the peer's port, outwards", hole().port(443), E, out().tcp(40000, 443), true},
      {"the peer's port, inwards", hole().port(443), I, in().tcp(443, 40000), true},
      {"the container's own port is not the peer's", hole().port(443), E, out().tcp(443, 40000), false},
      {"the container's own port, outwards", hole().local_port(8080), E, out().tcp(8080, 40000), true},
      {"the container's own port, inwards", hole().local_port(8080), I, in().tcp(40000, 8080), true},
      {"low end of a range", hole().port(1000, 2000), E, out().udp(5, 1000), true},
      {"high end of a range", hole().port(1000, 2000), E, out().udp(5, 2000), true},
      {"above a range", hole().port(1000, 2000), E, out().udp(5, 2001), false},
      {"a protocol without ports, ports wanted", hole().port(443), E, out().icmp(8), false},
      {"first fragment has ports", hole().port(443), E, Packet{}.ipv4("10.0.0.2", "192.0.2.7", 0x2000).udp(5, 443),
       true},
      {"a later fragment has none", hole().port(443), E, Packet{}.ipv4("10.0.0.2", "192.0.2.7", 0x0010).udp(5, 443),
       false},
      {"a later fragment, no port wanted", hole(), E, Packet{}.ipv4("10.0.0.2", "192.0.2.7", 0x0010).udp(5, 443), true},
      {"IPv6 later fragment has none", hole().port(443), E, out6().fragment6(0x0100).udp(5, 443), false},
      {"IPv6 first fragment has ports", hole().port(443), E, out6().fragment6(0x0001).udp(5, 443), true},
      {"IPv6 ports behind extension headers", hole().port(443), I,
       in6().extension(0).extension(60, 1).extension(43, 2).tcp(443, 5), true},
      {"IPv6 ports behind an authentication header", hole().port(443), E, out6().extension(51, 4).tcp(5, 443), true},
  };
}

std::vector<Row> addresses_and_protocols() {
  constexpr int E = BROWNOUT_EGRESS, I = BROWNOUT_INGRESS;
  return {
      {"everything", hole(), E, out().tcp(1, 2), true},
      {"inside the network", hole().cidr("192.0.2.0", 24), E, out().tcp(1, 2), true},
      {"inside the network, inwards", hole().cidr("192.0.2.0", 24), I, in().tcp(1, 2), true},
      {"outside the network", hole().cidr("192.0.3.0", 24), E, out().tcp(1, 2), false},
      {"the container's address is not the peer's", hole().cidr("10.0.0.2", 32), E, out().tcp(1, 2), false},
      {"0.0.0.0/0 is all of IPv4", hole().cidr("0.0.0.0", 0).family(4), E, out().tcp(1, 2), true},
      {"0.0.0.0/0 is nothing of IPv6", hole().cidr("0.0.0.0", 0).family(4), E, out6().tcp(1, 2), false},
      {"::/0 is nothing of IPv4", hole().family(6), E, out().tcp(1, 2), false},
      {"an IPv6 network", hole().cidr("2001:db8::", 32).family(6), E, out6().tcp(1, 2), true},
      {"another IPv6 network", hole().cidr("2001:db9::", 32).family(6), I, in6().tcp(1, 2), false},
      {"tcp is tcp", hole().protocol(6), E, out().tcp(1, 2), true},
      {"udp is not tcp", hole().protocol(6), E, out().udp(1, 2), false},
      {"icmp", hole().protocol(1), E, out().icmp(8), true},
      {"icmp means ICMPv6 too", hole().protocol(1), E, out6().icmp(128), true},
      {"egress only, outwards", hole().directions(kEgressOnly), E, out().tcp(1, 2), true},
      {"egress only, inwards", hole().directions(kEgressOnly), I, in().tcp(1, 2), false},
      {"ingress only, inwards", hole().directions(kIngressOnly), I, in6().tcp(1, 2), true},
      {"a VLAN tag in front", hole().port(443), E, Packet{}.vlan(7).ipv4("10.0.0.2", "192.0.2.7").tcp(1, 443), true},
      {"two VLAN tags in front", hole().port(443), E,
       Packet{}.vlan(7, 0x88a8).vlan(8).ipv6("fd00::2", "2001:db8::7").tcp(1, 443), true},
  };
}

std::vector<Row> left_alone() {
  constexpr int E = BROWNOUT_EGRESS, I = BROWNOUT_INGRESS;
  return {
      {"ARP", hole(), E, Packet{}.arp(), false},
      {"router solicitation", hole(), E, out6().icmp(133), false},
      {"neighbour solicitation", hole(), E, out6().icmp(135), false},
      {"neighbour advertisement", hole(), I, in6().icmp(136), false},
      {"redirect", hole(), I, in6().icmp(137), false},
      {"neighbour solicitation behind an extension", hole(), E, out6().extension(0).icmp(135), false},
      {"neither IPv4 nor IPv6", hole(), E, Packet{}.ether(0x88cc).payload(60), false},
      {"a tagged frame that ends within its IPv4 header", hole(), E,
       Packet{}.vlan(7).ipv4("10.0.0.2", "192.0.2.7").truncate(30), false},
      {"IPv4 with the version of IPv6", hole(), E, Packet{}.ipv6("fd00::2", "2001:db8::7").ether(0x0800).tcp(1, 2),
       false},
  };
}

void check(const Row& row) {
  INFO(row.what);
  InjectPrograms programs{plan_of({row.fault})};
  const auto outcome = programs.meet(row.direction, row.packet);
  const int dropped = row.direction == BROWNOUT_EGRESS ? kDropped : kRedirected;
  CHECK(outcome.verdict == (row.hit ? dropped : kPassed));
  const auto d = static_cast<std::uint32_t>(row.direction);
  CHECK(programs.fault(0, d).matched.packets == row.hit);
  CHECK(programs.fault(0, d).applied.packets == row.hit);
  CHECK(programs.fault(0, 1 - d).matched.packets == 0);
  CHECK(programs.counters().seen[d].packets == 1);
}

}  // namespace

TEST_CASE("a fault hits by port") {
  for (const Row& row : ports()) check(row);
}

TEST_CASE("a fault hits by address, protocol and direction") {
  for (const Row& row : addresses_and_protocols()) check(row);
}

TEST_CASE("what keeps a network a network is never touched, and counted") {
  for (const Row& row : left_alone()) {
    check(row);
    InjectPrograms programs{plan_of({row.fault})};
    programs.meet(row.direction, row.packet);
    INFO(row.what);
    CHECK(programs.counters().not_parsed[row.direction] == 1);
  }
}

}  // namespace kernel_inject_match_test
