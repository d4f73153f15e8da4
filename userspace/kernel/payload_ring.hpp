// SPDX-License-Identifier: MIT
// The consumer's end of the ring of payload (bpf/trace/payload.h). Nothing in it wakes anybody: it is emptied whenever
// the events are.
#pragma once

#include <memory>
#include <utility>

#include "brownout/abi/brownout.h"
#include "brownout/error.hpp"
#include "ring_reader.hpp"

namespace brownout::kernel {

class PayloadRing {
 public:
  using Sink = RingReader<brownout_payload>::Sink;

  static Result<PayloadRing> open(int map_fd);

  // What is there, at most kBatch records; never waits.
  Result<> consume(const Sink& sink);

 private:
  explicit PayloadRing(std::unique_ptr<RingReader<brownout_payload>> reader) : reader_(std::move(reader)) {}
  std::unique_ptr<RingReader<brownout_payload>> reader_;
};

}  // namespace brownout::kernel
