// SPDX-License-Identifier: MIT
// struct virtio_net_hdr of linux/virtio_net.h, which a C++ compiler refuses (a member there is called `class`).
#pragma once

#include <cstdint>

namespace brownout::kernel {

struct VnetHeader {
  static constexpr std::uint8_t kNeedsChecksum = 1;

  std::uint8_t flags = 0;
  std::uint8_t gso_type = 0;
  std::uint16_t hdr_len = 0;
  std::uint16_t gso_size = 0;
  std::uint16_t csum_start = 0;  // from the start of the frame
  std::uint16_t csum_offset = 0;
};
static_assert(sizeof(VnetHeader) == 10);

}  // namespace brownout::kernel
