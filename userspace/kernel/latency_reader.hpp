// SPDX-License-Identifier: MIT
// The tracer's histograms of calls, in memory that its programs write.
#pragma once

#include <vector>

#include "brownout/kernel.hpp"
#include "mapped_array.hpp"
#include "trace_object.hpp"

namespace brownout::kernel {

class LatencyReader {
 public:
  static Result<LatencyReader> open(const trace_bpf& object);
  void add_up(Histogram& into) const;
  // Those with calls in them, by slot; destinations that got two slots at once come once.
  std::vector<DestinationLatency> all() const;

 private:
  LatencyReader(MappedArray<std::uint64_t> counts, int slots_fd) : counts_(std::move(counts)), slots_fd_(slots_fd) {}
  std::vector<brownout_destination> slots() const;
  std::span<const std::uint64_t> row(std::size_t slot, std::size_t phase, std::size_t latency) const;

  MappedArray<std::uint64_t> counts_;
  int slots_fd_;
};

}  // namespace brownout::kernel
