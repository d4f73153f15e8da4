// SPDX-License-Identifier: MIT
// All that one BPF object has loaded: for the manifest, and for the proof that it went.
#pragma once

#include <vector>

#include "bpf_objects.hpp"

namespace brownout::kernel {

std::vector<ProgramInfo> object_programs(const bpf_object* object);
void append_object_ids(const bpf_object* object, ObjectIds& ids);

// Of every element of a per-CPU array of single __u64 counters.

}  // namespace brownout::kernel
