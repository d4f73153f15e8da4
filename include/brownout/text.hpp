// SPDX-License-Identifier: MIT
// Quantities as people write them, and text as people may read it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brownout {

// "1500ms", "60s", "5m", "250us"; a fraction is allowed ("1.5s"), a sign or another unit is not.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);
// The shortest exact form of the above: "1500ms", "60s".
std::string format_duration(std::chrono::nanoseconds duration);
// "5%", "0.001 %" as a fraction of one; nothing below 0 or above 1, and nothing finer than 0.001 %.
std::optional<double> parse_rate(std::string_view text);
std::string format_rate(double rate);

struct Character { char32_t point = 0; std::size_t length = 0; };
// The character at the start of `text`; nothing where that is not well-formed UTF-8.
std::optional<Character> first_character(std::string_view text);

// Text that came from elsewhere, in one line that steers no terminal and disguises nothing: control characters (C1 too),
// marks that turn the direction of writing, and bytes that are not UTF-8 become '?'.
std::string visible(std::string_view text);
// The same, but line feeds stay: for text whose lines are our own.
std::string visible_lines(std::string_view text);

}  // namespace brownout
