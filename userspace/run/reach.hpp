// SPDX-License-Identifier: MIT
// Who would be hit and how much passes, as it is now: for whoever confirms a drill, and for whoever only looks.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "aim.hpp"
#include "brownout/connections.hpp"

namespace brownout::run {

struct Reach {
  struct Connection {
    brownout_flow_key flow{};
    std::string held_by; // "python3, pid 812"; empty: not known
  };
  std::size_t processes = 0;                         // of the target
  std::vector<target::OperatorConnection> operators; // by which whoever started us is here
  std::vector<Connection> connections;               // TCP, open, matched by a fault: the first ten
  std::size_t matching = 0;                          // all of them
  bool whole = true;                                 // false: there are more than were read
  double packets_per_second = 0;                     // on the veth, both ways; 0 when that cannot be read
  std::set<std::string> neighbours;                  // other cgroups in the target's network namespace
};
// Takes a second, in which packets are counted.
Reach reach_of(const plan::Plan& plan, const Aim& aim);
nlohmann::json to_json(const Reach& reach);

// "10.0.0.2:4242 to 1.2.3.4:443"
std::string shown(const brownout_flow_key& flow);

}  // namespace brownout::run
