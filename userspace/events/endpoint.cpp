// SPDX-License-Identifier: MIT
#include "brownout/events.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace brownout::events {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_mapped(const __u8 (&address)[16]) {
  return std::memcmp(address, kMappedPrefix.data(), kMappedPrefix.size()) == 0;
}

bool parse_address(const std::string& text, bool six, std::array<__u8, 16>& into) {
  if (six) return ::inet_pton(AF_INET6, text.c_str(), into.data()) == 1;
  std::ranges::copy(kMappedPrefix, into.begin());
  return ::inet_pton(AF_INET, text.c_str(), into.data() + kMappedPrefix.size()) == 1;
}

}  // namespace

std::string address_text(const __u8 (&address)[16]) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_mapped(address))
    ::inet_ntop(AF_INET, address + kMappedPrefix.size(), text.data(), text.size());
  else
    ::inet_ntop(AF_INET6, address, text.data(), text.size());
  return text.data();
}

std::string endpoint(const __u8 (&address)[16], std::uint16_t port) {
  const auto text = address_text(address);
  return is_mapped(address) ? fmt::format("{}:{}", text, port) : fmt::format("[{}]:{}", text, port);
}

bool parse_endpoint(std::string_view text, __u8 (&address)[16], std::uint16_t& port) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::uint16_t number = 0;
  const auto* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + colon + 1, last, number);
  if (error != std::errc{} || end != last) return false;
  std::string host{text.substr(0, colon)};
  const bool six = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (six) host = host.substr(1, host.size() - 2);
  std::array<__u8, 16> parsed{};
  if (!parse_address(host, six, parsed)) return false;
  std::ranges::copy(parsed, address);
  port = number;
  return true;
}

}  // namespace brownout::events
