// SPDX-License-Identifier: MIT
// Numbers for events whose program could draw none (bpf/flavour/plain): in the order of the ring, and with a gap for
// every event that found no room there, as drawn numbers have.
#pragma once

#include <cstdint>

#include "brownout/abi/brownout.h"

namespace brownout::kernel {

class EventNumbers {
 public:
  // `lost` never shrinks, so numbers only grow; they end where the attempts do, wherever in between an event was lost.
  brownout_event numbered(const brownout_event& event, std::uint64_t lost) {
    brownout_event copy = event;
    copy.sequence = ++taken_ + lost;
    return copy;
  }

 private:
  std::uint64_t taken_ = 0;
};

}  // namespace brownout::kernel
