// SPDX-License-Identifier: MIT
#include "scalars.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/text.hpp"

namespace brownout::drill {
namespace {

constexpr std::string_view kNameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

bool is_plain_scalar(const Cursor& cursor) {
  return cursor.tree->kind == Tree::Kind::kScalar && !cursor.tree->quoted;
}

template <typename T>
std::optional<T> from_text(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

bool climbs(std::string_view path) {
  return path == ".." || path.starts_with("../") || path.ends_with("/..") || path.contains("/../");
}

}  // namespace

Result<std::string> read_text(const Cursor& cursor, std::size_t most) {
  const std::string& text = cursor.tree->scalar;
  if (cursor.tree->kind != Tree::Kind::kScalar || text.empty())
    return cursor.refuse_value("text", "write one line of text");
  if (text.size() > most)
    return cursor.refuse_value(fmt::format("text of at most {} bytes", most),
                               fmt::format("it has {} bytes", text.size()));
  // Escapes in a quoted scalar can bring in what the bytes of the file cannot hold.
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return cursor.refuse_value("text on one line", "no line ends, tabs or control characters");
  return text;
}

Result<std::string> read_name(const Cursor& cursor) {
  const std::string& text = cursor.tree->scalar;
  if (cursor.tree->kind != Tree::Kind::kScalar || text.empty() || text.size() > 64 ||
      text.find_first_not_of(kNameCharacters) != std::string::npos)
    return cursor.refuse_value("a name", "1 to 64 of A-Z, a-z, 0-9, _ and -: it becomes part of a file name");
  return text;
}

Result<std::int64_t> read_integer(const Cursor& cursor, std::int64_t least, std::int64_t most) {
  const std::string expected = fmt::format("a whole number from {} to {}", least, most);
  const auto value = from_text<std::int64_t>(cursor.tree->scalar);
  if (is_plain_scalar(cursor) && value && *value >= least && *value <= most) return *value;
  return cursor.refuse_value(expected, cursor.tree->quoted && value ? "write it without quotes" : "digits, no unit");
}

Result<double> read_number(const Cursor& cursor, double least, double most) {
  const auto value = from_text<double>(cursor.tree->scalar);
  if (is_plain_scalar(cursor) && value && std::isfinite(*value) && *value >= least && *value <= most) return *value;
  return cursor.refuse_value(fmt::format("a number from {:g} to {:g}", least, most),
                             cursor.tree->quoted && value ? "write it without quotes" : "digits, no unit");
}

Result<bool> read_bool(const Cursor& cursor) {
  if (is_plain_scalar(cursor) && cursor.tree->scalar == "true") return true;
  if (is_plain_scalar(cursor) && cursor.tree->scalar == "false") return false;
  return cursor.refuse_value("true or false", "write true or false, without quotes");
}

Result<std::uint64_t> read_seed(const Cursor& cursor) {
  const auto value = from_text<std::uint64_t>(cursor.tree->scalar);
  if (cursor.tree->kind == Tree::Kind::kScalar && value) return *value;
  return cursor.refuse_value("a seed", "a whole number from 0 to 18446744073709551615");
}

Result<Duration> read_duration(const Cursor& cursor, Duration least, Duration most) {
  const auto value =
      cursor.tree->kind == Tree::Kind::kScalar ? parse_duration(cursor.tree->scalar) : std::nullopt;
  if (!value) return cursor.refuse_value("a duration", "a number and one of us, ms, s, m, for example 1500ms");
  if (*value < least || *value > most)
    return cursor.refuse_value(fmt::format("from {} to {}", format_duration(least), format_duration(most)),
                               fmt::format("a duration from {} to {}", format_duration(least), format_duration(most)));
  return *value;
}

Result<double> read_rate(const Cursor& cursor) {
  const auto value = cursor.tree->kind == Tree::Kind::kScalar ? parse_rate(cursor.tree->scalar) : std::nullopt;
  if (value && *value > 0) return *value;
  return cursor.refuse_value("a rate", "above 0% and up to 100%, in steps of 0.001%, for example 5%");
}

Result<std::string> read_absolute_path(const Cursor& cursor) {
  BROWNOUT_ASSIGN(std::string path, read_text(cursor, kMaxPathBytes));
  if (!path.starts_with('/')) return cursor.refuse_value("an absolute path", "start it with /");
  if (climbs(path)) return cursor.refuse_value("a plain path", "without ..");
  return path;
}

Result<std::string> read_relative_path(const Cursor& cursor) {
  BROWNOUT_ASSIGN(std::string path, read_text(cursor, kMaxPathBytes));
  if (path.starts_with('/') || path.ends_with('/') || climbs(path) || path == ".")
    return cursor.refuse_value("a file name", "a path inside the run directory, without a leading / and without ..");
  return path;
}

Result<std::string> read_json_pointer(const Cursor& cursor) {
  BROWNOUT_ASSIGN(std::string pointer, read_text(cursor, kMaxPathBytes));
  bool well_formed = pointer.starts_with('/');
  for (std::size_t at = pointer.find('~'); at != std::string::npos; at = pointer.find('~', at + 1))
    well_formed = well_formed && at + 1 < pointer.size() && (pointer[at + 1] == '0' || pointer[at + 1] == '1');
  if (!well_formed)
    return cursor.refuse_value("a JSON pointer", "start it with /, for example /mode; ~0 is ~ and ~1 is / in a name");
  return pointer;
}

std::unexpected<Error> refuse_choice(const Cursor& cursor, std::span<const std::string_view> words) {
  const std::string allowed = fmt::format("one of {}", fmt::join(words, ", "));
  return cursor.refuse_value(allowed, "write " + allowed);
}

}  // namespace brownout::drill
