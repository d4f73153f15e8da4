// SPDX-License-Identifier: MIT
// Names in payload that somebody else wrote. No length in it is trusted; what is cut short gives what is there.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace brownout::events {

using Bytes = std::span<const std::uint8_t>;

struct DnsMessage {
  bool answer = false;
  std::string question; // as a plain name
  struct Address {
    std::array<std::uint8_t, 16> address{}; // IPv4 as ::ffff:a.b.c.d
    std::uint32_t ttl_s = 0;
  };
  std::vector<Address> addresses; // A and AAAA records of the answer, whatever alias they belong to
};
// Nothing when it is not whole, or not what RFC 1035 allows.
std::optional<DnsMessage> parse_dns(Bytes message);

enum class HelloOutcome : std::uint8_t { kNotHello, kName, kNoName, kCut };
struct ClientHello {
  HelloOutcome outcome = HelloOutcome::kNotHello;
  std::string name;
};
// kCut: it ends before the name, or before the end of its extensions.
ClientHello parse_client_hello(Bytes payload);

// The Host of a request, without its port. Nothing when there is no request, no Host in what is there of it, or when a
// proxy is asked for a whole url.
std::optional<std::string> parse_http_host(std::string_view payload);

// Lower case, without the final dot; bytes that are not printable become \ddd, as in DNS's own notation. Empty: no
// name, an address, or longer than a name can be.
std::string plain_name(std::string_view raw);

}  // namespace brownout::events
