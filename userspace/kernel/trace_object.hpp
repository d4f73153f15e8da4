// SPDX-License-Identifier: MIT
// The tracer's BPF object: opened, told what to follow, loaded. Nothing is attached here.
#pragma once

#include <memory>
#include <string>
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

// How many jiffies a second has, measured: 0 when it could not be.
std::uint32_t measure_jiffies_per_second(trace_bpf& object);

}  // namespace brownout::kernel
