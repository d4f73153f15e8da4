// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json.hpp>

#include "brownout/findings.hpp"

namespace brownout::bundle {

// What the manifest says about the drill that follows from the evidence: written when sealing, derived again and
// compared when verifying, so that no manifest can tell another story than its records.
nlohmann::json summarise(const events::Evidence& evidence, const findings::Findings& findings);

}  // namespace brownout::bundle
