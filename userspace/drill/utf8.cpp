// SPDX-License-Identifier: MIT
#include "utf8.hpp"

#include "brownout/text.hpp"

namespace brownout::drill {
namespace {

bool allowed(char32_t point) {
  if (point < 0x20) return point == '\t' || point == '\n' || point == '\r';
  return point != 0x7f;
}

}  // namespace

std::optional<std::size_t> first_bad_byte(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto character = first_character(text.substr(at));
    if (!character || !allowed(character->point)) return at;
    at += character->length;
  }
  return std::nullopt;
}

}  // namespace brownout::drill
