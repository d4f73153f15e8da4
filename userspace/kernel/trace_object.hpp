// SPDX-License-Identifier: MIT
// The tracer's BPF object: opened, told what to follow, loaded. Nothing is attached here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "brownout/abi/brownout.h"
#include "brownout/error.hpp"
#include "brownout/kernel.hpp"
#include "trace.skel.h"

namespace brownout::kernel {

struct TraceObjectCloser {
  void operator()(trace_bpf* object) const { trace_bpf::destroy(object); }
};
using TraceObject = std::unique_ptr<trace_bpf, TraceObjectCloser>;

// `not_observed` gains a line for every program that this kernel does not take although others go on without it.
Result<TraceObject> load_trace_object(const Tracer::Config& config, std::vector<std::string>& not_observed);

// What is attached at once, in that order; trace_receive follows when there is a reason.
struct TraceHooking {
  enum class Place : std::uint8_t { kTracepoint, kCgroup };
  bpf_program* program = nullptr;
  Place place = Place::kTracepoint;
  std::string_view lost_without; // empty: the tracer does not go without it
};
std::vector<TraceHooking> hookings_of(const trace_bpf& object);

// How many jiffies a second has, measured: 0 when it could not be.
std::uint32_t measure_jiffies_per_second(trace_bpf& object);

}  // namespace brownout::kernel
