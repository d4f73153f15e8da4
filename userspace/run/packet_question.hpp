// SPDX-License-Identifier: MIT
// "10.0.0.2:4242 > 1.2.3.4:443 tcp": which faults would hit that packet, and what keeps the others away.
#pragma once

#include <string>
#include <string_view>

#include "brownout/plan.hpp"
#include "brownout/target.hpp"

namespace brownout::run {

struct PacketAnswer {
  std::string text; // for people, lines
  nlohmann::json json;
};
// An IPv6 address stands in brackets where it has a port: "[fd00::2]:4242"; icmp has no ports. kUsage with what is allowed.
// The direction is told by which of the two is an address of the target's.
Result<PacketAnswer> explain_packet(std::string_view packet, const plan::Plan& plan, const target::Target& target);

}  // namespace brownout::run
