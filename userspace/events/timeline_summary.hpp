// SPDX-License-Identifier: MIT
#pragma once

#include "brownout/events.hpp"

namespace brownout::events {

// Fills in what Evidence says about the drill as a whole, out of its timeline. kFormat for a kind that this version
// does not know, for fields that are not as documented, and for phases that do not begin or end as they can.
Result<> summarise_timeline(Evidence& evidence);

}  // namespace brownout::events
