// SPDX-License-Identifier: MIT
// The kernel's lists of sockets: /proc/PID/net/tcp, udp and their sixes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string_view>
#include <vector>

#include "brownout/connections.hpp"

namespace brownout::target {

enum class SocketState : std::uint8_t { kOpen, kListening, kOver };

struct Socket {
  brownout_flow_key flow{};
  SocketState state = SocketState::kOver;
  std::uint64_t inode = 0;
};
struct Sockets { std::vector<Socket> list; bool whole = true; };

// Of both families; `protocol` is IPPROTO_TCP or IPPROTO_UDP.
Sockets read_sockets(std::int32_t pid, std::uint8_t protocol, const std::filesystem::path& proc);
// The inodes of the sockets that a process has open, at most `most` descriptors looked at.
std::set<std::uint64_t> socket_inodes(std::int32_t pid, std::size_t& most, const std::filesystem::path& proc);

bool is_loopback(const Address& address);

}  // namespace brownout::target
