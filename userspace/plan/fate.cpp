// SPDX-License-Identifier: MIT
// Why a packet is hit or is not: by asking the programs' own rule once with all filters, and once with each alone.
#include <algorithm>
#include <array>
#include <limits>

#include "brownout/abi/match.h"
#include "brownout/plan.hpp"

namespace brownout::plan {
namespace {

constexpr brownout_match kMatchesAll{.directions = (1U << BROWNOUT_DIRECTIONS) - 1U};

struct Filter {
  const char* name;
  void (*take)(brownout_match& into, const brownout_match& from);
};

void take_ports(brownout_match& into, std::uint16_t peer_low, std::uint16_t peer_high, std::uint16_t local_low,
                std::uint16_t local_high) {
  into.has_ports = 1;
  into.peer_port_low = peer_low;
  into.peer_port_high = peer_high;
  into.local_port_low = local_low;
  into.local_port_high = local_high;
}

constexpr std::uint16_t kLastPort = std::numeric_limits<std::uint16_t>::max();
bool asks_for_port(const brownout_match& match) { return match.peer_port_low > 0 || match.peer_port_high < kLastPort; }
bool asks_for_local_port(const brownout_match& match) { return match.local_port_low > 0 || match.local_port_high < kLastPort; }

constexpr std::array kFilters{
    Filter{"direction", [](auto& into, const auto& from) { into.directions = from.directions; }},
    Filter{"protocol", [](auto& into, const auto& from) { into.protocol = from.protocol; }},
    Filter{"family", [](auto& into, const auto& from) { into.family = from.family; }},
    Filter{"cidr",
           [](auto& into, const auto& from) {
             std::ranges::copy(from.peer_address, into.peer_address);
             std::ranges::copy(from.peer_mask, into.peer_mask);
           }},
    Filter{"port",
           [](auto& into, const auto& from) {
             if (from.has_ports != 0 && (asks_for_port(from) || !asks_for_local_port(from)))
               take_ports(into, from.peer_port_low, from.peer_port_high, 0, kLastPort);
           }},
    Filter{"local_port",
           [](auto& into, const auto& from) {
             if (from.has_ports != 0 && asks_for_local_port(from))
               take_ports(into, 0, kLastPort, from.local_port_low, from.local_port_high);
           }},
    Filter{"connections", [](auto& into, const auto& from) { into.share_threshold = from.share_threshold; }},
};

bool is_hit(const brownout_match& match, const brownout_flow_key& flow, brownout_direction direction, bool ports,
            std::uint64_t share) {
  return brownout_match_flow(&match, &flow, direction, ports) && brownout_in_share(&match, &flow, share);
}

std::vector<std::string> missed_by(const brownout_match& match, const brownout_flow_key& flow, brownout_direction direction,
                                   bool ports, std::uint64_t share) {
  std::vector<std::string> names;
  for (const auto& filter : kFilters) {
    brownout_match alone = kMatchesAll;
    filter.take(alone, match);
    if (!is_hit(alone, flow, direction, ports, share)) names.emplace_back(filter.name);
  }
  return names;
}

}  // namespace

Fate fate_of(const Plan& plan, const brownout_flow_key& flow, brownout_direction direction, bool ports) {
  Fate fate;
  switch (brownout_spared(&flow, plan.allowed)) {
    case BROWNOUT_ALLOW_DHCP: fate.spared_as = drill::allowed_name(drill::Allowed::kDhcp); break;
    case BROWNOUT_ALLOW_METADATA: fate.spared_as = drill::allowed_name(drill::Allowed::kMetadata); break;
    default: break;
  }
  const std::uint64_t share = brownout_share(plan.seed, &flow);
  for (const auto& fault : plan.faults)
    fate.faults.push_back({.hit = is_hit(fault.abi.match, flow, direction, ports, share),
                           .missed_by = missed_by(fault.abi.match, flow, direction, ports, share)});
  return fate;
}

}  // namespace brownout::plan
