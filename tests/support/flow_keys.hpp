// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include <arpa/inet.h>

#include "brownout/abi/brownout.h"

namespace brownout::test {

inline brownout_flow_key flow_key(const std::string& local, std::uint16_t local_port, const std::string& peer,
                                  std::uint16_t peer_port, std::uint8_t protocol) {
  brownout_flow_key key{};
  const auto put = [](const std::string& text, __u8* into) {
    ::inet_pton(AF_INET6, (text.find(':') == std::string::npos ? "::ffff:" + text : text).c_str(), into);
  };
  put(local, key.local_address);
  put(peer, key.peer_address);
  key.local_port = local_port;
  key.peer_port = peer_port;
  key.protocol = protocol;
  return key;
}

}  // namespace brownout::test
