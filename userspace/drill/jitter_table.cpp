// SPDX-License-Identifier: MIT
#include "jitter_table.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "brownout/abi/brownout.h"
#include "brownout/fd.hpp"
#include "scalars.hpp"

namespace brownout::drill {
namespace {

constexpr std::size_t kFewest = 2; // one value alone is no distribution
constexpr std::size_t kShownBytes = 40;
constexpr std::string_view kSpace = " \t\r\v\f";

constexpr std::string_view kFormatHint =
    "a table is 2 to 16384 whole numbers from -32768 to 32767 with white space between them, and # before comments";

std::string shown(std::string_view word) {
  std::string text{word.substr(0, kShownBytes)};
  // The message is for a terminal, the file may be anything.
  std::ranges::replace_if(text, [](char c) { return c < 0x21 || c > 0x7e; }, '?');
  return word.size() > kShownBytes ? text + "..." : text;
}

Result<std::int16_t> parse_value(std::string_view word, std::string_view file, std::size_t line, std::size_t column) {
  // A plus sign may stand there, as strtol takes it; from_chars does not.
  const std::string_view digits = word.starts_with('+') && !word.starts_with("+-") ? word.substr(1) : word;
  std::int16_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc{} && end == digits.data() + digits.size() && !digits.empty()) return value;
  return fail(ErrorCode::kInvalidDrill,
              fmt::format("{}:{}:{}: '{}' is not a whole number from {} to {}", file, line, column, shown(word),
                          std::numeric_limits<std::int16_t>::min(), std::numeric_limits<std::int16_t>::max()),
              std::string{kFormatHint});
}

Result<> parse_line(std::string_view text, std::string_view file, std::size_t line,
                    std::vector<std::int16_t>& values) {
  text = text.substr(0, text.find('#'));
  for (std::size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    BROWNOUT_ASSIGN(const auto value, parse_value(text.substr(at, end - at), file, line, at + 1));
    if (values.size() == BROWNOUT_JITTER_VALUES)
      return fail(ErrorCode::kInvalidDrill,
                  fmt::format("{}:{}:{}: '{}' is one value too many", file, line, at + 1, value),
                  std::string{kFormatHint});
    values.push_back(value);
    at = text.find_first_not_of(kSpace, end);
  }
  return {};
}

}  // namespace

Result<std::vector<std::int16_t>> parse_table(std::string_view text, std::string_view file) {
  std::vector<std::int16_t> values;
  std::size_t line = 1;
  for (std::size_t at = 0; at < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    BROWNOUT_TRY(parse_line(text.substr(at, end - at), file, line, values));
    at = end + 1;
  }
  if (values.size() < kFewest)
    return fail(ErrorCode::kInvalidDrill,
                fmt::format("{}:{}:1: the file ends after {} values", file, line, values.size()),
                std::string{kFormatHint});
  return values;
}

Result<std::size_t> TableShelf::find(const Cursor& cursor) {
  BROWNOUT_ASSIGN(const std::string path, read_text(cursor, kMaxPathBytes));
  const auto known = std::ranges::find(tables_, path, &TableFile::path);
  const auto index = static_cast<std::size_t>(known - tables_.begin());
  if (known != tables_.end()) return index;
  if (!read_) return cursor.refuse_value("possible: there is no place to read table files from", "use a named one");
  // Whatever is wrong with the table, the drill's author is led to the line that names it.
  const auto refuse = [&cursor](const Error& error) {
    return cursor.refuse("not a table: " + Error{.what = error.what, .errno_value = error.errno_value}.render(),
                         error.hint.empty() ? std::string{kFormatHint} : error.hint);
  };
  auto text = read_(index, path);
  if (!text) return refuse(text.error());
  auto values = parse_table(*text, path);
  if (!values) return refuse(values.error());
  tables_.push_back({.path = path, .text = *std::move(text), .values = *std::move(values)});
  return index;
}

ReadTable tables_beside(std::filesystem::path directory) {
  return [directory = std::move(directory)](std::size_t, const std::string& path) -> Result<std::string> {
    const auto place = directory / path;  // an absolute path stands for itself
    std::error_code error;
    const auto status = std::filesystem::status(place, error);
    if (status.type() == std::filesystem::file_type::not_found)
      return fail_errno(ErrorCode::kNotFound, ENOENT, "open " + path, "a relative path starts where the drill lies");
    if (error) return fail_errno(ErrorCode::kIo, error.value(), "open " + path);
    // A pipe or a device might never end.
    if (status.type() != std::filesystem::file_type::regular)
      return fail(ErrorCode::kRefused, path + " is not a regular file");
    auto text = read_file(place, kMaxTableBytes);
    if (!text && text.error().code == ErrorCode::kFormat)
      return fail(ErrorCode::kFormat, fmt::format("{} is longer than {} bytes", path, kMaxTableBytes));
    return text;
  };
}

}  // namespace brownout::drill
