// SPDX-License-Identifier: MIT
// The consumer's end of the ring of captured packets (bpf/lib/capture.h). Nothing in it wakes anybody: it is emptied
// whenever the drill's loop comes by.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "brownout/abi/brownout.h"
#include "brownout/error.hpp"
#include "brownout/plan.hpp"
#include "inject.skel.h"
#include "ring_reader.hpp"

namespace brownout::kernel {

// Before loading: room for what the plan asks for, or none of the maps.
int size_captures(inject_bpf& skeleton, const plan::Plan& plan);

class CaptureRing {
 public:
  using Sink = RingReader<brownout_capture_record>::Sink;

  static Result<CaptureRing> open(int map_fd);

  // What is there, at most kBatch records; never waits.
  Result<> consume(const Sink& sink);
  // All that is left: nothing writes any more.
  Result<std::vector<brownout_capture_record>> take_rest();

 private:
  explicit CaptureRing(std::unique_ptr<RingReader<brownout_capture_record>> reader) : reader_(std::move(reader)) {}
  std::unique_ptr<RingReader<brownout_capture_record>> reader_;
};

}  // namespace brownout::kernel
