// SPDX-License-Identifier: MIT
#include <charconv>
#include <optional>

#include "cidr.hpp"
#include "scalars.hpp"
#include "sections.hpp"

namespace brownout::drill {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty() || port == 0) return std::nullopt;
  return port;
}

Result<PortRange> read_ports(const Cursor& cursor) {
  const std::string_view text = cursor.tree->scalar;
  const auto dash = text.find('-');
  const auto low = parse_port(text.substr(0, dash));
  const auto high = dash == std::string_view::npos ? low : parse_port(text.substr(dash + 1));
  if (cursor.tree->kind != Tree::Kind::kScalar || !low || !high)
    return cursor.refuse_value("a port", "a number from 1 to 65535, or a range such as 8000-8010");
  if (*low > *high) return cursor.refuse_value("a range of ports", "the lower port stands first");
  return PortRange{*low, *high};
}

Result<Direction> read_direction(const Cursor& cursor) {
  static constexpr Choice<Direction> kDirections[] = {
      {"egress", Direction::kEgress}, {"ingress", Direction::kIngress}, {"both", Direction::kBoth}};
  return read_choice(cursor, kDirections);
}

Result<Protocol> read_protocol(const Cursor& cursor) {
  static constexpr Choice<Protocol> kProtocols[] = {
      {"any", Protocol::kAny}, {"tcp", Protocol::kTcp}, {"udp", Protocol::kUdp}, {"icmp", Protocol::kIcmp}};
  return read_choice(cursor, kProtocols);
}

Result<> read_addresses(const Mapping& mapping, Match& match) {
  if (const auto cidr = mapping.find("cidr")) {
    BROWNOUT_ASSIGN(match.cidr, read_cidr(*cidr));
  }
  for (const auto& [key, range] : {std::pair{"port", &match.port}, std::pair{"local_port", &match.local_port}}) {
    const auto ports = mapping.find(key);
    if (!ports) continue;
    if (match.protocol == Protocol::kIcmp)
      return ports->refuse_value("possible: icmp has no ports", "remove the port, or write protocol: tcp or udp");
    BROWNOUT_ASSIGN(*range, read_ports(*ports));
  }
  return {};
}

}  // namespace

Result<Match> read_match(const Cursor& cursor) {
  constexpr std::string_view kHint =
      "write `match: all` to mean everything, or match: with direction, protocol, cidr, port, local_port, connections";
  Match match;
  if (cursor.tree->kind == Tree::Kind::kScalar && cursor.tree->scalar == "all") {
    match.all = true;
    return match;
  }
  if (cursor.tree->kind != Tree::Kind::kMapping) return cursor.refuse_value("`all` or a mapping", std::string{kHint});
  BROWNOUT_ASSIGN(const Mapping mapping,
                  Mapping::open(cursor, {"direction", "protocol", "cidr", "port", "local_port", "connections"}));
  if (mapping.empty()) return cursor.refuse("the mapping is empty", std::string{kHint});
  if (const auto direction = mapping.find("direction")) {
    BROWNOUT_ASSIGN(match.direction, read_direction(*direction));
  }
  if (const auto protocol = mapping.find("protocol")) {
    BROWNOUT_ASSIGN(match.protocol, read_protocol(*protocol));
  }
  if (const auto connections = mapping.find("connections")) {
    BROWNOUT_ASSIGN(match.connections, read_rate(*connections));
  }
  BROWNOUT_TRY(read_addresses(mapping, match));
  return match;
}

}  // namespace brownout::drill
