// SPDX-License-Identifier: MIT
// What `brownout doctor` tries. Each function makes a tiny object, looks whether the kernel took it, and undoes it.
#pragma once

#include <string>
#include <vector>

#include "brownout/kernel.hpp"

namespace brownout::kernel {

// The outcome of one attempt, in words for `detail`.
Capability tried(std::string name, bool required, const Result<std::string>& outcome, std::string lost);

std::vector<Capability> probe_machine();    // privileges, BTF, lockdown, cgroup2, scheduling, runtimes
std::vector<Capability> probe_injection();  // tcx, our programs, the delay line's device
std::vector<Capability> probe_tracing();    // ring buffer, sockops, tracepoints, socket iterator

}  // namespace brownout::kernel
