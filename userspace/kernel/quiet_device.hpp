// SPDX-License-Identifier: MIT
// Devices of ours carry what we send there and nothing else: no address, no ARP, no IPv6 of their own.
#pragma once

#include <optional>
#include <string>

#include "netlink.hpp"

namespace brownout::kernel {

struct DeviceSettings {
  std::uint32_t mtu = 0;
  std::optional<std::uint32_t> queue_length;
};
// Sysctls and the device are those of the calling thread's network namespace.
Result<> bring_up_quietly(int ifindex, const std::string& device, const DeviceSettings& settings);

}  // namespace brownout::kernel
