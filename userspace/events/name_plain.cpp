// SPDX-License-Identifier: MIT
#include <array>
#include <cctype>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "name_parsers.hpp"

namespace brownout::events {
namespace {

constexpr std::size_t kLongestName = 255; // RFC 1035; escaped, it may be four times that

bool is_address(const std::string& text) {
  std::array<std::uint8_t, 16> address{};
  return ::inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

}  // namespace

std::string plain_name(std::string_view raw) {
  if (raw.ends_with('.')) raw.remove_suffix(1);
  if (raw.empty() || raw.size() > 4 * kLongestName || raw.front() == '[') return {};
  std::string name;
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > ' ' && byte < 0x7f)
      name += static_cast<char>(std::tolower(byte));
    else
      name += fmt::format("\\{:03}", byte);
  }
  return is_address(name) ? std::string{} : name;
}

}  // namespace brownout::events
