// SPDX-License-Identifier: MIT
#include <array>
#include <cstdint>

#include "brownout/text.hpp"

namespace brownout {
namespace {

struct Form { std::uint8_t mask, lead; std::size_t length; char32_t least; };
constexpr std::array kForms{Form{0x80, 0x00, 1, 0}, Form{0xe0, 0xc0, 2, 0x80}, Form{0xf0, 0xe0, 3, 0x800},
                            Form{0xf8, 0xf0, 4, 0x10000}};

bool is_within(char32_t point, char32_t first, char32_t last) { return point >= first && point <= last; }

bool steers(char32_t point) {
  return point < 0x20 || is_within(point, 0x7f, 0x9f) ||             // control characters
         is_within(point, 0x200e, 0x200f) || is_within(point, 0x2028, 0x202e) ||  // direction, and line ends of Unicode's own
         is_within(point, 0x2066, 0x2069);
}

std::string cleaned(std::string_view text, bool keep_lines) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const auto character = first_character(text);
    const bool kept = character && (!steers(character->point) || (keep_lines && character->point == '\n'));
    const auto length = character ? character->length : 1;
    clean += kept ? text.substr(0, length) : "?";
    text.remove_prefix(length);
  }
  return clean;
}

}  // namespace

std::optional<Character> first_character(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto lead = static_cast<std::uint8_t>(text.front());
  for (const Form& form : kForms) {
    if ((lead & form.mask) != form.lead) continue;
    if (text.size() < form.length) return std::nullopt;
    char32_t point = lead & static_cast<std::uint8_t>(~form.mask);
    for (std::size_t i = 1; i < form.length; ++i) {
      const auto next = static_cast<std::uint8_t>(text[i]);
      if ((next & 0xc0) != 0x80) return std::nullopt;
      point = (point << 6) | (next & 0x3fU);
    }
    if (point < form.least || point > 0x10ffff || is_within(point, 0xd800, 0xdfff)) return std::nullopt;
    return Character{point, form.length};
  }
  return std::nullopt;
}

std::string visible(std::string_view text) { return cleaned(text, false); }
std::string visible_lines(std::string_view text) { return cleaned(text, true); }

}  // namespace brownout
