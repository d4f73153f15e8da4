// SPDX-License-Identifier: MIT
// The plan that evidence was recorded under, compiled again from the files beside it.
#pragma once

#include <cstdint>
#include <filesystem>

#include "brownout/plan.hpp"

namespace brownout::bundle {

// The one thing of a plan that need not be in the drill. From plan.json.
Result<std::uint64_t> recorded_seed(const std::filesystem::path& directory);
// Of drill.yaml, its tables and the recorded seed.
Result<plan::Plan> recorded_plan(const std::filesystem::path& directory);

}  // namespace brownout::bundle
