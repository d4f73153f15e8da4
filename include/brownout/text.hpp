// SPDX-License-Identifier: MIT
// Quantities as people write them.
#pragma once

#include <chrono>
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

}  // namespace brownout
