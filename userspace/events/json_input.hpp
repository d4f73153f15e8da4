// SPDX-License-Identifier: MIT
// JSON that others wrote: bounded in depth and number of values, and with complaints that are safe to print and to record.
#pragma once

#include <string>
#include <string_view>

namespace brownout::events {

inline constexpr int kDeepestNesting = 64;

// The parser takes a NUL for the end, and would not see what stands behind it.
bool has_nul(std::string_view text);
// One line of printable ASCII, cut to a length that a person reads.
std::string printable(std::string_view text);
// The parser's complaint without what it read last, which may be a secret: no rule would know it without its name.
std::string_view without_quote(std::string_view complaint);

}  // namespace brownout::events
