// SPDX-License-Identifier: MIT
// Where delayed packets wait, between the hook on the target's veth that takes them and their return to it.
//
// The injector opens it before its hooks on the veth, and ends it in this order: start_drain, drained, close_inlet
// (nothing comes any more), then its own hooks, then close.
#pragma once

#include <array>
#include <chrono>

#include "brownout/kernel.hpp"
#include "inject.skel.h"

namespace brownout::kernel {

class DelayBackend {
 public:
  virtual ~DelayBackend() = default;

  // Its devices and the programs on them; when it returns, packets may come.
  virtual Result<> open(inject_bpf& skeleton, double packets_per_second) = 0;
  // What is held goes as soon as it can, in order.
  virtual void start_drain() {}
  // Whether everything that was sent here has left again, or was counted as lost.
  virtual bool drained(const brownout_inject_counters& sent) const = 0;
  // How long that can take when everything works.
  virtual std::chrono::nanoseconds drain_limit() const = 0;
  virtual Result<> close_inlet() = 0;
  virtual Result<> close() = 0;

  // Per direction; `sent` is what the programs counted, read before.
  virtual std::array<LineCounters, BROWNOUT_DIRECTIONS> counters(const brownout_inject_counters& sent) const = 0;
  virtual void append_objects(ObjectIds& ids) const = 0;
  virtual nlohmann::json description() const = 0;
};

}  // namespace brownout::kernel
