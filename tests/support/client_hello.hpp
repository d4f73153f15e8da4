// SPDX-License-Identifier: MIT
// TLS client hellos, byte by byte (RFC 8446, 4.1.2).
#pragma once

#include <string>
#include <string_view>

#include "support/dns_messages.hpp"

namespace brownout::test {

inline std::string tls_extension(unsigned type, std::string_view data) {
  return two_bytes(type) + two_bytes(static_cast<unsigned>(data.size())) + std::string{data};
}

inline std::string server_name_extension(std::string_view name) {
  const auto entry = '\0' + two_bytes(static_cast<unsigned>(name.size())) + std::string{name};
  return tls_extension(0, two_bytes(static_cast<unsigned>(entry.size())) + entry);
}

// A record with a whole client hello of these extensions.
inline std::string client_hello(const std::string& extensions) {
  const auto body = "\x03\x03" + std::string(32, 'r') + '\x04' + "sess" + two_bytes(4) + "\x13\x01\x13\x02" +
                    std::string{'\x01', '\0'} + two_bytes(static_cast<unsigned>(extensions.size())) + extensions;
  const auto handshake = std::string{'\x01', '\0'} + two_bytes(static_cast<unsigned>(body.size())) + body;
  return std::string{"\x16\x03\x01"} + two_bytes(static_cast<unsigned>(handshake.size())) + handshake;
}

}  // namespace brownout::test
