// SPDX-License-Identifier: MIT
#include "brownout/clock.hpp"

#include <charconv>
#include <ctime>

#include <fmt/format.h>

namespace brownout {
namespace {

std::int64_t read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * kNsPerSecond + now.tv_nsec;
}

struct Split { std::tm calendar{}; std::int64_t fraction = 0; };

Split split_utc(std::int64_t realtime_ns) {
  Split split;
  std::int64_t seconds = realtime_ns / kNsPerSecond;
  split.fraction = realtime_ns % kNsPerSecond;
  if (split.fraction < 0) {
    split.fraction += kNsPerSecond;
    --seconds;
  }
  const std::time_t time = seconds;
  ::gmtime_r(&time, &split.calendar);
  return split;
}

// Exactly `width` digits off the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t width) {
  if (text.size() < width) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + width, value);
  if (error != std::errc{} || end != text.data() + width || text.front() == '-') return std::nullopt;
  text.remove_prefix(width);
  return value;
}

bool take_char(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!take_char(text, ".,")) return 0;
  std::int64_t fraction = 0;
  std::size_t digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (digits < 9) fraction = fraction * 10 + (text.front() - '0');
    ++digits;
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 9; ++digits) fraction *= 10;
  return fraction;
}

// Seconds east of UTC; nothing at all is UTC.
std::optional<std::int64_t> take_zone(std::string_view& text) {
  if (text.empty() || take_char(text, "Zz")) return 0;
  const bool west = text.front() == '-';
  if (!take_char(text, "+-")) return std::nullopt;
  const auto hours = take_number(text, 2);
  take_char(text, ":");
  const auto minutes = take_number(text, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::int64_t east = *hours * 3600 + *minutes * 60;
  return west ? -east : east;
}

}  // namespace

std::int64_t monotonic_ns() { return read_clock(CLOCK_MONOTONIC); }
std::int64_t boottime_ns() { return read_clock(CLOCK_BOOTTIME); }
std::int64_t realtime_ns() { return read_clock(CLOCK_REALTIME); }

ClockOffsets read_clock_offsets() {
  // The tightest of a few brackets: a preempted read would widen the uncertainty for the whole run.
  ClockOffsets best{.uncertainty_ns = INT64_MAX};
  for (int attempt = 0; attempt < 8; ++attempt) {
    const std::int64_t before = monotonic_ns();
    const std::int64_t real = realtime_ns();
    const std::int64_t boot = boottime_ns();
    const std::int64_t after = monotonic_ns();
    const std::int64_t middle = before + (after - before) / 2;
    const std::int64_t uncertainty = (after - before + 1) / 2;
    if (uncertainty < best.uncertainty_ns) best = {middle, real - middle, boot - middle, uncertainty};
  }
  return best;
}

std::string format_utc(std::int64_t realtime_ns) {
  const auto [calendar, fraction] = split_utc(realtime_ns);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", calendar.tm_year + 1900, calendar.tm_mon + 1,
                     calendar.tm_mday, calendar.tm_hour, calendar.tm_min, calendar.tm_sec, fraction);
}

std::string format_utc_compact(std::int64_t realtime_ns) {
  const auto [calendar, fraction] = split_utc(realtime_ns);
  return fmt::format("{:04}{:02}{:02}_{:02}{:02}{:02}", calendar.tm_year + 1900, calendar.tm_mon + 1,
                     calendar.tm_mday, calendar.tm_hour, calendar.tm_min, calendar.tm_sec);
}

std::optional<std::int64_t> parse_utc(std::string_view text) {
  const auto year = take_number(text, 4);
  if (!year || !take_char(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take_char(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || !take_char(text, "Tt ")) return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || !take_char(text, ":")) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || !take_char(text, ":")) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  if (*month < 1 || *month > 12 || *day < 1 || *day > 31 || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  std::tm calendar{};
  calendar.tm_year = *year - 1900;
  calendar.tm_mon = *month - 1;
  calendar.tm_mday = *day;
  calendar.tm_hour = *hour;
  calendar.tm_min = *minute;
  calendar.tm_sec = *second;
  const std::time_t seconds = ::timegm(&calendar);
  if (calendar.tm_mday != *day) return std::nullopt;  // 30 February moved on
  if (*year < 1678 || *year > 2261) return std::nullopt;  // beyond what 64 bits of ns can say
  return (static_cast<std::int64_t>(seconds) - *zone) * kNsPerSecond + *fraction;
}

}  // namespace brownout
