// SPDX-License-Identifier: MIT
// The second witness of loss, short of attaching it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "bpf_objects.hpp"
#include "witness.skel.h"

namespace brownout::kernel {

struct WitnessSkeletonDeleter {
  void operator()(witness_bpf* skeleton) const { witness_bpf__destroy(skeleton); }
};
using WitnessSkeleton = std::unique_ptr<witness_bpf, WitnessSkeletonDeleter>;

// By number, of the running kernel, which renumbers them. kUnsupported before 5.17, which has none.
Result<std::map<std::uint32_t, std::string>> drop_reasons();
Result<WitnessSkeleton> load_witness(int ifindex);

}  // namespace brownout::kernel
