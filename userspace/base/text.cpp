// SPDX-License-Identifier: MIT
#include "brownout/text.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace brownout {
namespace {

struct Unit { std::string_view name; std::int64_t ns; };
// Longest names first: "ms" before "m" and "s".
constexpr std::array kUnits{Unit{"us", 1'000}, Unit{"ms", 1'000'000}, Unit{"s", 1'000'000'000},
                            Unit{"m", 60'000'000'000}};

// A plain decimal number: digits, at most one point, no sign, no exponent.
std::optional<double> parse_decimal(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trim_right(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  for (const auto& unit : kUnits) {
    if (!text.ends_with(unit.name)) continue;
    const auto number = parse_decimal(trim_right(text.substr(0, text.size() - unit.name.size())));
    if (!number) continue;
    const double ns = *number * static_cast<double>(unit.ns);
    if (ns > 9e18) return std::nullopt;
    return std::chrono::nanoseconds{std::llround(ns)};
  }
  return std::nullopt;
}

std::string format_duration(std::chrono::nanoseconds duration) {
  const std::int64_t ns = duration.count();
  if (ns == 0) return "0s";
  if (ns % 60'000'000'000 == 0) return fmt::format("{}m", ns / 60'000'000'000);
  if (ns % 1'000'000'000 == 0) return fmt::format("{}s", ns / 1'000'000'000);
  if (ns % 1'000'000 == 0) return fmt::format("{}ms", ns / 1'000'000);
  if (ns % 1'000 == 0) return fmt::format("{}us", ns / 1'000);
  return fmt::format("{}us", static_cast<double>(ns) / 1e3);
}

std::optional<double> parse_rate(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  const auto percent = parse_decimal(trim_right(text.substr(0, text.size() - 1)));
  if (!percent || *percent > 100) return std::nullopt;
  const double thousandths = *percent * 1000;
  if (std::abs(thousandths - std::round(thousandths)) > 1e-6) return std::nullopt;
  return std::round(thousandths) / 100'000;
}

std::string format_rate(double rate) { return fmt::format("{:g}%", rate * 100); }

}  // namespace brownout
