// SPDX-License-Identifier: MIT
// The delay line's own network device: a TAP with queues for each direction that vanishes with its descriptors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "brownout/abi/brownout.h"
#include "brownout/fd.hpp"

namespace brownout::kernel {

// Documented prefix: what starts with it on a machine is ours.
inline constexpr char kOurDevices[] = "brownout";
inline constexpr char kTapNamePattern[] = "brownout%d";

class TapDevice {
 public:
  // Made in the network namespace of the calling thread, down, with no address and nothing attached.
  static Result<TapDevice> make(std::size_t queues_per_direction);

  // No IPv6 of its own, no ARP, room for super-packets, a bounded ring, up.
  Result<> bring_up();
  // A socket filter whose return value picks the queue.
  Result<> set_steering(int program_fd);

  int ifindex() const { return ifindex_; }
  const std::string& name() const { return name_; }
  // The device's own numbering is the same: direction + BROWNOUT_DIRECTIONS * index.
  int queue(std::size_t direction, std::size_t index) const {
    return queues_[direction + BROWNOUT_DIRECTIONS * index].get();
  }
  std::size_t queues_per_direction() const { return queues_.size() / BROWNOUT_DIRECTIONS; }
  bool udp_segmentation() const { return udp_segmentation_; }
  // SKB_GSO_* kinds that pass through in one piece.
  std::uint32_t gso_types() const { return gso_types_; }
  void close();

 private:
  Result<> open_queue();
  Result<> set_offloads();

  std::vector<UniqueFd> queues_;
  std::string name_;
  int ifindex_ = 0;
  std::uint32_t gso_types_ = 0;
  bool udp_segmentation_ = false;
};

}  // namespace brownout::kernel
