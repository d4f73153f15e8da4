// SPDX-License-Identifier: MIT
// Datagrams one way: how long each took, or how many get through at all.
#pragma once

#include <chrono>
#include <vector>

#include "room.hpp"

namespace brownout::bench {

struct DatagramBlock {
  std::vector<double> one_way_us;  // of those that came, in order of arrival
  int missing = 0;
};

// `count` small datagrams, `interval` apart; waits for them until `patience` after the last.
DatagramBlock paced_block(const Way& way, int count, std::chrono::nanoseconds interval,
                          std::chrono::nanoseconds patience);

struct DatagramRate {
  double sent_per_s = 0, received_per_s = 0;
};
// As fast as one thread can, 32 bytes each, for `time`.
DatagramRate unpaced(const Way& way, std::chrono::milliseconds time, std::chrono::nanoseconds delay);

}  // namespace brownout::bench
