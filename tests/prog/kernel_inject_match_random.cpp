// SPDX-License-Identifier: MIT
// 1,000 random rules on 1,000 random packets, against what the documentation says in the plainest words.
#include <array>
#include <bitset>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "support/inject_programs.hpp"

namespace kernel_inject_match_random_test {

using namespace brownout;
using namespace brownout::test;

namespace {

constexpr std::uint64_t kSeed = 20261129;
constexpr int kPackets = 1000;
constexpr int kRulesAtOnce = BROWNOUT_MAX_FAULTS;
constexpr int kPrograms = (1000 + kRulesAtOnce - 1) / kRulesAtOnce;

struct Flight { // a packet, as a person would describe it
  int direction = BROWNOUT_EGRESS;
  bool v6 = false;
  int protocol = IPPROTO_TCP;
  std::string local, peer;
  std::uint16_t local_port = 0, peer_port = 0;
  bool later_fragment = false;
  bool has_ports() const { return protocol != IPPROTO_ICMP && !later_fragment; }
};

struct Rule {
  std::uint8_t directions = kBothDirections;
  int protocol = 0;
  std::string network;
  unsigned prefix = 0;
  std::optional<std::pair<std::uint16_t, std::uint16_t>> port;
  std::optional<std::uint16_t> local_port;
  double connections = 1;
};

class Dice {
 public:
  bool chance(double p) { return std::bernoulli_distribution{p}(random_); }
  unsigned below(unsigned n) { return std::uniform_int_distribution<unsigned>{0, n - 1}(random_); }
  template <typename... T> auto one_of(T... values) {
    const std::array all{values...};
    return all[below(static_cast<unsigned>(all.size()))];
  }

 private:
  std::mt19937 random_{20261129};
};

using Bits = std::bitset<128>;
Bits bits_of(const std::string& address) {
  std::array<unsigned char, 16> bytes{};
  const bool v6 = address.contains(':');
  REQUIRE(::inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), bytes.data()) == 1);
  Bits bits;
  for (std::size_t bit = 0; bit < 128; ++bit) bits[bit] = (bytes[bit / 8] >> (7 - bit % 8)) & 1;
  return bits;
}

bool is_in(const std::string& address, const std::string& network, unsigned prefix) {
  if (address.contains(':') != network.contains(':')) return false;
  const auto a = bits_of(address), b = bits_of(network);
  for (std::size_t bit = 0; bit < prefix; ++bit)
    if (a[bit] != b[bit]) return false;
  return true;
}

// docs/randomness.md, word by word.
std::uint64_t absorb(std::uint64_t state, std::uint64_t word) {
  std::uint64_t z = (state ^ word) + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double share_of(const Flight& flight) {
  const bool ports = flight.has_ports();
  const auto key = flow_key(flight.local, ports ? flight.local_port : 0, flight.peer, ports ? flight.peer_port : 0,
                            static_cast<std::uint8_t>(flight.protocol));
  std::array<std::uint64_t, 5> words{};
  std::memcpy(words.data(), &key, sizeof key);
  std::uint64_t draw = kSeed;
  for (const auto word : words) draw = absorb(draw, word);
  return static_cast<double>(absorb(draw, 2) >> 32) / 0x1p32;
}

bool should_hit(const Rule& rule, const Flight& flight) {
  if ((rule.directions & (1 << flight.direction)) == 0) return false;
  if (rule.protocol != 0 && rule.protocol != flight.protocol) return false;
  if (!rule.network.empty() && !is_in(flight.peer, rule.network, rule.prefix)) return false;
  if ((rule.port || rule.local_port) && !flight.has_ports()) return false;
  if (rule.port && (flight.peer_port < rule.port->first || flight.peer_port > rule.port->second)) return false;
  if (rule.local_port && flight.local_port != *rule.local_port) return false;
  if (rule.connections == 1) return true;
  return (flight.protocol == IPPROTO_ICMP || !flight.later_fragment) && share_of(flight) < rule.connections;
}

Flight random_flight(Dice& dice) {
  Flight flight{.direction = static_cast<int>(dice.below(2)), .v6 = dice.chance(0.5)};
  flight.protocol = dice.one_of(IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP);
  flight.local = flight.v6 ? "fd00::2" : "10.0.0.2";
  flight.peer = flight.v6 ? fmt::format("2001:db8:{:x}::{:x}", dice.below(4), dice.below(4))
                          : fmt::format("198.51.{}.{}", dice.below(4), dice.below(8));
  flight.local_port = static_cast<std::uint16_t>(40'000 + dice.below(20));
  flight.peer_port = static_cast<std::uint16_t>(440 + dice.below(8));
  flight.later_fragment = dice.chance(0.1);
  return flight;
}

Rule random_rule(Dice& dice) {
  Rule rule{.directions = dice.one_of(kBothDirections, kBothDirections, kEgressOnly, kIngressOnly)};
  if (dice.chance(0.5)) rule.protocol = dice.one_of(IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP);
  if (dice.chance(0.3)) {
    rule.prefix = dice.one_of(0U, 8U, 23U, 24U, 30U, 32U);
    const unsigned third = rule.prefix > 23 ? dice.below(4) : rule.prefix == 23 ? 2 * dice.below(2) : 0;
    const unsigned last = rule.prefix == 32 ? dice.below(8) : rule.prefix == 30 ? 4 * dice.below(2) : 0;
    rule.network = rule.prefix == 0 ? "0.0.0.0" : rule.prefix == 8 ? "198.0.0.0" : fmt::format("198.51.{}.{}", third, last);
  } else if (dice.chance(0.3)) {
    rule.prefix = dice.one_of(0U, 32U, 48U, 126U, 128U);
    rule.network = rule.prefix == 0    ? "::"
                   : rule.prefix == 32 ? "2001:db8::"
                                       : fmt::format("2001:db8:{:x}::{:x}", dice.below(4), rule.prefix == 128 ? dice.below(4) : 0);
  }
  if (rule.protocol != IPPROTO_ICMP && dice.chance(0.3)) {
    const auto low = static_cast<std::uint16_t>(438 + dice.below(10));
    rule.port = {low, static_cast<std::uint16_t>(low + dice.below(5))};
  }
  if (rule.protocol != IPPROTO_ICMP && dice.chance(0.2)) rule.local_port = static_cast<std::uint16_t>(40'000 + dice.below(20));
  if (dice.chance(0.4)) rule.connections = dice.one_of(0.25, 0.5, 0.75); // exact in 32 bits
  return rule;
}

FaultBuilder fault_of(const Rule& rule) {
  auto fault = FaultBuilder::blackhole().directions(rule.directions).connections(rule.connections == 1 ? 0 : rule.connections);
  if (rule.protocol != 0) fault.protocol(static_cast<std::uint8_t>(rule.protocol));
  if (!rule.network.empty()) fault.family(rule.network.contains(':') ? 6 : 4).cidr(rule.network, rule.prefix);
  if (rule.port) fault.port(rule.port->first, rule.port->second);
  if (rule.local_port) fault.local_port(*rule.local_port);
  return fault;
}

Packet packet_of(const Flight& flight) {
  const bool out = flight.direction == BROWNOUT_EGRESS;
  const auto& from = out ? flight.local : flight.peer;
  const auto& to = out ? flight.peer : flight.local;
  Packet packet;
  if (flight.v6) packet.ipv6(from, to);
  else packet.ipv4(from, to, flight.later_fragment ? 0x0010 : 0);
  if (flight.v6 && flight.later_fragment) packet.fragment6(0x0100);
  const auto source = out ? flight.local_port : flight.peer_port;
  const auto dest = out ? flight.peer_port : flight.local_port;
  if (flight.protocol == IPPROTO_TCP) packet.tcp(source, dest);
  else if (flight.protocol == IPPROTO_UDP) packet.udp(source, dest);
  else packet.icmp(flight.v6 ? 128 : 8);
  return packet;
}

}  // namespace

TEST_CASE("1,000 random rules hit 1,000 random packets as the documentation says") {
  Dice dice;
  std::vector<Flight> flights;
  for (int i = 0; i < kPackets; ++i) flights.push_back(random_flight(dice));
  std::uint64_t hits = 0, misses = 0, differences = 0;
  for (int n = 0; n < kPrograms; ++n) {
    std::vector<Rule> rules;
    std::vector<FaultBuilder> faults;
    for (int i = 0; i < kRulesAtOnce; ++i) {
      rules.push_back(random_rule(dice));
      faults.push_back(fault_of(rules.back()));
    }
    InjectPrograms programs{plan_of(faults, kSeed)};
    std::array<std::array<std::uint64_t, BROWNOUT_DIRECTIONS>, kRulesAtOnce> before{};
    for (const auto& flight : flights) {
      const auto direction = static_cast<std::uint32_t>(flight.direction);
      programs.meet(flight.direction, packet_of(flight));
      for (std::uint32_t i = 0; i < kRulesAtOnce; ++i) {
        const auto matched = programs.fault(i, direction).matched.packets;
        const bool hit = matched != std::exchange(before[i][direction], matched);
        differences += hit != should_hit(rules[i], flight) ? 1 : 0;
        ++(hit ? hits : misses);
      }
    }
  }
  CHECK(differences == 0);
  CHECK(hits > 50'000);
  CHECK(misses > 500'000);
}

}  // namespace kernel_inject_match_random_test
