// SPDX-License-Identifier: MIT
// Which CPU receives the packets of a virtual device.
#pragma once

#include <string>

#include "brownout/error.hpp"

namespace brownout::kernel {

// All packets of a flow on one CPU (RPS, CONFIG_RPS). A veth hands packets to the backlog of whatever CPU sends them:
// when a qdisc before it runs now on one CPU and then on another, packets would overtake each other between the two
// backlogs. The device must be in the network namespace of the calling thread. kUnsupported without RPS.
Result<> steer_receive_by_flow(const std::string& device);

}  // namespace brownout::kernel
