// SPDX-License-Identifier: MIT
// What a person at the terminal reads meanwhile.
#pragma once

#include <string_view>

namespace brownout {

// To stderr, as it stands. That nobody listens any more (a closed pipe, a terminal that went, a full disk) ends no drill:
// whatever matters is in the evidence.
void tell(std::string_view text) noexcept;
// NO_COLOR is in the environment, and not empty (no-color.org).
bool colour_refused();

}  // namespace brownout
