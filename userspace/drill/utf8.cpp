// SPDX-License-Identifier: MIT
#include "utf8.hpp"

#include <array>
#include <cstdint>

namespace brownout::drill {
namespace {

struct Form { std::uint8_t mask, lead; std::size_t length; char32_t least; };
constexpr std::array kForms{Form{0x80, 0x00, 1, 0}, Form{0xe0, 0xc0, 2, 0x80}, Form{0xf0, 0xe0, 3, 0x800},
                            Form{0xf8, 0xf0, 4, 0x10000}};

bool allowed(char32_t point) {
  if (point < 0x20) return point == '\t' || point == '\n' || point == '\r';
  if (point == 0x7f) return false;
  return point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

// Length of the character at the start of `text`, 0 when there is none.
std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text.front());
  for (const Form& form : kForms) {
    if ((lead & form.mask) != form.lead) continue;
    if (text.size() < form.length) return 0;
    char32_t point = lead & static_cast<std::uint8_t>(~form.mask);
    for (std::size_t i = 1; i < form.length; ++i) {
      const auto next = static_cast<std::uint8_t>(text[i]);
      if ((next & 0xc0) != 0x80) return 0;
      point = (point << 6) | (next & 0x3fU);
    }
    return point >= form.least && allowed(point) ? form.length : 0;
  }
  return 0;
}

}  // namespace

std::optional<std::size_t> first_bad_byte(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

}  // namespace brownout::drill
