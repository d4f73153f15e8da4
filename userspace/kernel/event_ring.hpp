// SPDX-License-Identifier: MIT
// The consumer's end of the ring. Details do not wake us, failures do, so that waiting is sliced.
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "brownout/abi/brownout.h"
#include "brownout/error.hpp"
#include "ring_reader.hpp"

namespace brownout::kernel {

class EventRing {
 public:
  using Sink = RingReader<brownout_event>::Sink;

  static Result<EventRing> open(int map_fd);

  // What is there, at most kBatch events; waits up to `timeout` for the first. A signal ends the wait.
  Result<> consume(std::chrono::milliseconds timeout, const Sink& sink);

 private:
  explicit EventRing(std::unique_ptr<RingReader<brownout_event>> reader) : reader_(std::move(reader)) {}
  std::unique_ptr<RingReader<brownout_event>> reader_;
};

}  // namespace brownout::kernel
