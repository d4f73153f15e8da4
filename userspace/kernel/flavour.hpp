// SPDX-License-Identifier: MIT
// Injector and tracer are compiled twice (bpf/flavour/): the verifier of old kernels refuses the opcodes of atomics
// that return a value wherever they stand, so that no constant of a program can hide them.
#pragma once

#include "brownout/abi/brownout.h" // the skeletons need it
#include "inject.skel.h"
#include "trace.skel.h"

namespace brownout::kernel {

enum class Flavour {
  kFetch,  // atomics return what stood there before: Linux 5.12
  kPlain,  // they only add
};

// By loading a program of a few instructions, once.
Flavour flavour_here();

// Opened, nothing is loaded; nullptr and errno where that fails. Programs, maps and constants are those of the
// skeleton in either flavour.
inject_bpf* open_inject_flavour(Flavour flavour);
trace_bpf* open_trace_flavour(Flavour flavour);

}  // namespace brownout::kernel
