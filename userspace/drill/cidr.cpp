// SPDX-License-Identifier: MIT
#include "cidr.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

#include <arpa/inet.h>

#include <fmt/format.h>

namespace brownout::drill {
namespace {

struct Address {
  int family = AF_INET;
  std::array<unsigned char, 16> bytes{};
  int bits() const { return family == AF_INET ? 32 : 128; }
  std::string text() const {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    ::inet_ntop(family, bytes.data(), buffer.data(), buffer.size());
    return buffer.data();
  }
};

std::optional<Address> parse_address(const std::string& text) {
  for (const int family : {AF_INET, AF_INET6}) {
    Address address{.family = family};
    if (::inet_pton(family, text.c_str(), address.bytes.data()) == 1) return address;
  }
  return std::nullopt;
}

std::optional<int> parse_length(std::string_view text) {
  int length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty() || length < 0) return std::nullopt;
  return length;
}

Address network_of(Address address, int length) {
  for (int bit = length; bit < address.bits(); ++bit)
    address.bytes[static_cast<std::size_t>(bit / 8)] &= static_cast<unsigned char>(~(0x80 >> (bit % 8)));
  return address;
}

bool is_mapped_ipv4(const Address& address) {
  constexpr std::array<unsigned char, 12> kPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return address.family == AF_INET6 && std::ranges::equal(kPrefix, std::span{address.bytes}.first(12));
}

}  // namespace

Result<std::string> read_cidr(const Cursor& cursor) {
  constexpr std::string_view kExpected = "a network in CIDR form";
  const std::string& text = cursor.tree->scalar;
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (cursor.tree->kind != Tree::Kind::kScalar || !address)
    return cursor.refuse_value(kExpected, "an address, / and a prefix length, as 10.0.0.0/8 or 2001:db8::/32");
  if (slash == std::string::npos)
    return cursor.refuse_value(kExpected, fmt::format("for this one address write {}/{}", text, address->bits()));
  const auto length = parse_length(std::string_view{text}.substr(slash + 1));
  if (!length || *length > address->bits())
    return cursor.refuse_value(kExpected, fmt::format("the prefix length goes from 0 to {}", address->bits()));
  if (is_mapped_ipv4(*address))
    return cursor.refuse_value("a network on the wire", "write IPv4 networks as IPv4, for example 10.0.0.0/8");
  const Address network = network_of(*address, *length);
  const std::string canonical = fmt::format("{}/{}", network.text(), *length);
  if (network.bytes != address->bytes)
    return cursor.refuse_value("a network: host bits are set",
                               fmt::format("write {} for the network, or {}/{} for the one address", canonical,
                                           address->text(), address->bits()));
  return canonical;
}

}  // namespace brownout::drill
