// SPDX-License-Identifier: MIT
// From what a read of the TAP returns to the packet as it was on the veth.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "brownout/abi/brownout.h"
#include "vnet_header.hpp"

namespace brownout::kernel {

struct LineFrame {
  brownout_line_header line{};
  VnetHeader header{};         // offsets as of the frame without our header
  std::span<std::byte> frame;  // inside the buffer that was read
};

// nullopt: not from our programs of this run. Changes `bytes` in place (a VLAN tag goes back to where it belongs).
std::optional<LineFrame> unwrap(const VnetHeader& header, std::span<std::byte> bytes, std::uint32_t magic,
                                std::uint16_t direction);

}  // namespace brownout::kernel
