// SPDX-License-Identifier: MIT
// What a packet costs in the injector's programs, tried on packets of our own.
#pragma once

#include <optional>

#include "brownout/rehearsal.hpp"
#include "inject.skel.h"

namespace brownout::kernel {

// Arms the programs, which must be attached nowhere; `control_map_fd` is their control map.
std::optional<PacketCost> measure_packet_cost(const inject_bpf& skeleton, const plan::Plan& plan, int control_map_fd);

}  // namespace brownout::kernel
