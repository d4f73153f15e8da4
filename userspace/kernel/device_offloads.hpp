// SPDX-License-Identifier: MIT
// What a device takes in one piece.
#pragma once

#include <cstdint>
#include <string>

#include "brownout/error.hpp"

namespace brownout::kernel {

// SKB_GSO_* kinds of super-packets that the kernel hands to the device whole; it cuts others into segments before. The
// device must be in the network namespace of the calling thread. By the ethtool ioctl (features: since 2.6.39); bits of
// the two are the same, a shift apart (net_gso_ok, include/linux/netdevice.h). SKB_GSO_DODGY is always among them: no kind
// of its own, the kernel is only to check the header itself.
Result<std::uint32_t> gso_types_of(const std::string& device);

}  // namespace brownout::kernel
