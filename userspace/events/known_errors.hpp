// SPDX-License-Identifier: MIT
// Passing over what is known of a large error list, at the speed of memory instead of a parser's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace brownout::events {

// Bytes [begin, end) of a fingerprint hold `count` whole elements of its top-level error_events; without them the text
// is the same fingerprint with a shorter list.
struct KnownErrors { std::size_t begin = 0, end = 0; std::uint64_t count = 0; };

// The elements from the second to the one before `first_error`, or to the last; nothing when there are none, or the
// text is not as expected. Only brackets and strings are looked at: those elements are not checked again.
std::optional<KnownErrors> find_known_errors(std::string_view text, std::size_t first_error);

}  // namespace brownout::events
