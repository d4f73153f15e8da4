// SPDX-License-Identifier: MIT
#include "json_input.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "brownout/events.hpp"

namespace brownout::events {
namespace {

// Two bytes of text can be a value of 16 bytes and more: what a GB would become must not be tried.
constexpr std::size_t kMostValues = 16'000'000;

// Of brackets and commas outside of strings: upper bounds for text that is not JSON.
struct Shape {
  int depth = 0;
  std::size_t values = 1;
};

Shape shape_of(std::string_view text) {
  Shape shape;
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      shape.depth = std::max(shape.depth, ++depth);
      ++shape.values;
    } else if (c == ',') {
      ++shape.values;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return shape;
}

}  // namespace

bool has_nul(std::string_view text) { return text.contains('\0'); }

std::string_view without_quote(std::string_view complaint) { return complaint.substr(0, complaint.find("; last read: ")); }

std::string printable(std::string_view text) {
  static constexpr std::size_t kLongest = 200;
  std::string clean;
  for (const char c : text.substr(0, kLongest)) clean += c >= ' ' && c <= '~' ? c : '?';
  return text.size() > kLongest ? clean + "..." : clean;
}

Result<nlohmann::json> parse_json(std::string_view text, std::string_view place) {
  const auto shape = shape_of(text);
  if (shape.depth > kDeepestNesting)
    return fail(ErrorCode::kFormat, fmt::format("{}: nested deeper than {}", place, kDeepestNesting));
  if (has_nul(text)) return fail(ErrorCode::kFormat, fmt::format("{}: not JSON: it has NUL bytes", place));
  if (shape.values > kMostValues)
    return fail(ErrorCode::kFormat, fmt::format("{}: more than {} values", place, kMostValues));
  try {
    return nlohmann::json::parse(text);
  } catch (const std::exception& error) {
    return fail(ErrorCode::kFormat, fmt::format("{}: not JSON: {}", place, printable(without_quote(error.what()))));
  }
}

}  // namespace brownout::events
