// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "brownout/events.hpp"

namespace brownout::bundle {

// actions.jsonl: every change that was made to the host, and its undoing; out of the timeline, each with its place there.
std::string render_actions(const events::Evidence& evidence);

}  // namespace brownout::bundle
