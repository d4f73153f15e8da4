// SPDX-License-Identifier: MIT
// Stage 1. What the drill wants to be taken out of its bundle; read from its text, which was checked when the drill was.
#pragma once

#include <string>
#include <vector>

#include "brownout/drill.hpp"
#include "brownout/redact.hpp"

namespace brownout::drill {

std::vector<std::string> redact_patterns(const Drill& drill);
// By the built-in rules and these.
Redactor redactor_of(const Drill& drill);

}  // namespace brownout::drill
