// SPDX-License-Identifier: MIT
// One beat of a direction for all threads that serve it: that of the one that is latest, so that a single hung queue
// stops the delay of its direction.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "brownout/abi/brownout.h"

namespace brownout::kernel {

class LineBeats {
 public:
  static constexpr std::size_t kMost = 8;

  LineBeats(brownout_control& control, std::size_t direction, std::size_t queues)
      : beat_(control.line_heartbeat_boot_ns[direction]), queues_(std::min(queues, kMost)) {}

  // 0: not alive.
  void beat(std::size_t queue, std::uint64_t boot_ns) {
    beats_[queue].store(boot_ns, std::memory_order_relaxed);
    std::uint64_t latest = boot_ns;
    for (std::size_t i = 0; i < queues_; ++i) latest = std::min(latest, beats_[i].load(std::memory_order_relaxed));
    std::atomic_ref{beat_}.store(latest, std::memory_order_release);
  }

 private:
  __u64& beat_;
  std::size_t queues_;
  std::array<std::atomic<std::uint64_t>, kMost> beats_{};
};

}  // namespace brownout::kernel
