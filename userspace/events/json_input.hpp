// SPDX-License-Identifier: MIT
// JSON that others wrote: bounded in depth, and with complaints that are safe to print and to record.
#pragma once

#include <string>
#include <string_view>

namespace brownout::events {

inline constexpr int kDeepestNesting = 64;

// Deepest nesting of brackets outside of strings; an upper bound for text that is not JSON.
int nesting_depth(std::string_view text);
// One line of printable ASCII, cut to a length that a person reads.
std::string printable(std::string_view text);

}  // namespace brownout::events
