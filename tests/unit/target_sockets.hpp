// SPDX-License-Identifier: MIT
// Lines of /proc/PID/net/tcp and its kin.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include <arpa/inet.h>

#include <fmt/format.h>

#include "target_fixture.hpp"

namespace brownout::target {

inline constexpr int kEstablished = 1, kTimeWait = 6, kUnconnected = 7, kListen = 10;
using Endpoint = std::pair<std::string, std::uint16_t>;

inline std::string hex_of(const Endpoint& endpoint) {
  const auto& [address, port] = endpoint;
  std::uint8_t bytes[16];
  const bool six = address.contains(':');
  REQUIRE(::inet_pton(six ? AF_INET6 : AF_INET, address.c_str(), bytes) == 1);
  std::string text;
  for (std::size_t at = 0; at < (six ? 16 : 4); at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes + at, sizeof word);
    text += fmt::format("{:08X}", word);
  }
  return fmt::format("{}:{:04X}", text, port);
}

inline std::string socket_line(const Endpoint& local, const Endpoint& peer, int state, std::uint64_t inode) {
  return fmt::format("   0: {} {} {:02X} 00000000:00000000 00:00000000 00000000  1000        0 {} 1 0000 20 4\n",
                     hex_of(local), hex_of(peer), state, inode);
}

inline void set_sockets(const Machine& machine, std::int32_t pid, const std::string& list, const std::string& lines) {
  Machine::write(machine.proc() / std::to_string(pid) / "net" / list,
                 "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
                     lines);
}

}  // namespace brownout::target
