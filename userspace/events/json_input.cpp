// SPDX-License-Identifier: MIT
#include "json_input.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "brownout/events.hpp"

namespace brownout::events {

int nesting_depth(std::string_view text) {
  int depth = 0, deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return deepest;
}

std::string printable(std::string_view text) {
  static constexpr std::size_t kLongest = 200;
  std::string clean;
  for (const char c : text.substr(0, kLongest)) clean += c >= ' ' && c <= '~' ? c : '?';
  return text.size() > kLongest ? clean + "..." : clean;
}

Result<nlohmann::json> parse_json(std::string_view text, std::string_view place) {
  if (nesting_depth(text) > kDeepestNesting)
    return fail(ErrorCode::kFormat, fmt::format("{}: nested deeper than {}", place, kDeepestNesting));
  try {
    return nlohmann::json::parse(text);
  } catch (const std::exception& error) {
    return fail(ErrorCode::kFormat, fmt::format("{}: not JSON: {}", place, printable(error.what())));
  }
}

}  // namespace brownout::events
