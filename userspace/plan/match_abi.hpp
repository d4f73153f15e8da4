// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "brownout/abi/brownout.h"
#include "brownout/drill.hpp"
#include "brownout/error.hpp"

namespace brownout::plan {

Result<brownout_match> compile_match(const drill::Match& match);
// Ascending members of enum brownout_direction.
std::vector<int> directions_of(drill::Direction direction);
// "egress tcp 10.0.0.0/8:443", "everything"
std::string describe(const drill::Match& match);

}  // namespace brownout::plan
