// SPDX-License-Identifier: MIT
// Clocks. Records carry CLOCK_MONOTONIC; UTC is derived from offsets taken at the start and end of a run.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace brownout {

using Nanoseconds = std::chrono::nanoseconds;

inline constexpr std::int64_t kNsPerSecond = 1'000'000'000;

std::int64_t monotonic_ns();
std::int64_t boottime_ns();
std::int64_t realtime_ns();

// realtime - monotonic and boottime - monotonic, each read between two reads of the monotonic clock;
// `uncertainty_ns` is half the width of that bracket.
struct ClockOffsets {
  std::int64_t at_monotonic_ns = 0;
  std::int64_t realtime_offset_ns = 0;
  std::int64_t boottime_offset_ns = 0;
  std::int64_t uncertainty_ns = 0;
};
ClockOffsets read_clock_offsets();

// "2026-01-02T03:04:05.123456789Z"
std::string format_utc(std::int64_t realtime_ns);
// "20260102_030405"
std::string format_utc_compact(std::int64_t realtime_ns);
// RFC 3339, with 'T' or a space, any number of fraction digits, 'Z', "+hh:mm" or nothing (then UTC).
std::optional<std::int64_t> parse_utc(std::string_view text);

}  // namespace brownout
