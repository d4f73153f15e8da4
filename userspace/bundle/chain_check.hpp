// SPDX-License-Identifier: MIT
// What a chain has to say for its evidence to be the original.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/events.hpp"

namespace brownout::bundle {

// For the manifest.
nlohmann::json describe(const events::Chain& chain);

// `there`: digests of the files that are there; an empty one is not looked at. A drill that did not come to its end may
// leave a tail that no segment covers, or no chain at all, and is no PASS for that.
std::vector<std::string> chain_problems(const events::Chain& chain, const events::Rules& there,
                                        const events::Evidence& evidence);

}  // namespace brownout::bundle
