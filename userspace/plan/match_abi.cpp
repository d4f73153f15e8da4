// SPDX-License-Identifier: MIT
#include "match_abi.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <fmt/format.h>

#include "brownout/text.hpp"

namespace brownout::plan {
namespace {

constexpr std::size_t kMappedPrefixBytes = 12; // of ::ffff:a.b.c.d

void set_mask(brownout_match& abi, int bits) {
  for (int bit = 0; bit < bits; ++bit)
    abi.peer_mask[bit / 8] = static_cast<__u8>(abi.peer_mask[bit / 8] | (0x80 >> (bit % 8)));
}

// IPv4 as ::ffff:a.b.c.d with a prefix longer by 96 bits, so that the programs compare 16 bytes whatever the family.
void set_ipv4(brownout_match& abi, const std::array<unsigned char, 16>& address, int bits) {
  abi.family = 4;
  abi.peer_address[10] = abi.peer_address[11] = 0xff;
  std::copy_n(address.begin(), 4, abi.peer_address + kMappedPrefixBytes);
  set_mask(abi, bits + 96);
}

void set_ipv6(brownout_match& abi, const std::array<unsigned char, 16>& address, int bits) {
  abi.family = 6;
  std::ranges::copy(address, abi.peer_address);
  set_mask(abi, bits);
}

Result<> set_network(brownout_match& abi, const std::string& cidr) {
  const auto slash = cidr.find('/');
  const std::string address = cidr.substr(0, slash);
  const std::string length = slash == std::string::npos ? std::string{} : cidr.substr(slash + 1);
  int bits = 0;
  std::array<unsigned char, 16> bytes{};
  const bool numeric = std::from_chars(length.data(), length.data() + length.size(), bits).ec == std::errc{};
  if (numeric && bits >= 0 && bits <= 32 && ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) {
    set_ipv4(abi, bytes, bits);
  } else if (numeric && bits >= 0 && bits <= 128 && ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) {
    set_ipv6(abi, bytes, bits);
  } else {
    return fail(ErrorCode::kInvalidDrill, fmt::format("'{}' is not a network in CIDR form", cidr));
  }
  for (std::size_t i = 0; i < 16; ++i) abi.peer_address[i] &= abi.peer_mask[i];
  return {};
}

// ICMP stands for ICMPv6 too: the programs map every ICMPv6 message that is not neighbour discovery onto it.
__u8 protocol_number(drill::Protocol protocol) {
  switch (protocol) {
    case drill::Protocol::kTcp: return IPPROTO_TCP;
    case drill::Protocol::kUdp: return IPPROTO_UDP;
    case drill::Protocol::kIcmp: return IPPROTO_ICMP;
    case drill::Protocol::kAny: break;
  }
  return 0;
}

std::string describe_ports(const drill::PortRange& range) {
  return range.low == range.high ? fmt::format("{}", range.low) : fmt::format("{}-{}", range.low, range.high);
}

std::string_view name_of(drill::Protocol protocol) {
  switch (protocol) {
    case drill::Protocol::kTcp: return "tcp";
    case drill::Protocol::kUdp: return "udp";
    case drill::Protocol::kIcmp: return "icmp";
    case drill::Protocol::kAny: break;
  }
  return "any";
}

std::string_view name_of(drill::Direction direction) {
  switch (direction) {
    case drill::Direction::kEgress: return "egress";
    case drill::Direction::kIngress: return "ingress";
    case drill::Direction::kBoth: break;
  }
  return "both";
}

}  // namespace

std::vector<int> directions_of(drill::Direction direction) {
  switch (direction) {
    case drill::Direction::kEgress: return {BROWNOUT_EGRESS};
    case drill::Direction::kIngress: return {BROWNOUT_INGRESS};
    case drill::Direction::kBoth: break;
  }
  return {BROWNOUT_EGRESS, BROWNOUT_INGRESS};
}

Result<brownout_match> compile_match(const drill::Match& match) {
  brownout_match abi{};
  const drill::PortRange any;
  const auto peer = match.port.value_or(any);
  const auto local = match.local_port.value_or(any);
  abi.peer_port_low = peer.low;
  abi.peer_port_high = peer.high;
  abi.local_port_low = local.low;
  abi.local_port_high = local.high;
  abi.has_ports = match.port || match.local_port ? 1 : 0;
  abi.protocol = protocol_number(match.protocol);
  for (const int direction : directions_of(match.direction)) abi.directions |= static_cast<__u8>(1U << direction);
  if (match.cidr) BROWNOUT_TRY(set_network(abi, *match.cidr));
  return abi;
}

std::string describe(const drill::Match& match) {
  if (match.all) return "everything, both directions";
  std::string text = fmt::format("{} {} {}:{}", name_of(match.direction), name_of(match.protocol),
                                 match.cidr.value_or("*"), match.port ? describe_ports(*match.port) : "*");
  if (match.local_port) text += fmt::format(" local:{}", describe_ports(*match.local_port));
  if (match.connections < 1) text += fmt::format(", {} of the connections", format_rate(match.connections));
  return text;
}

}  // namespace brownout::plan
