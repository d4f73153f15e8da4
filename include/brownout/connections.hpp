// SPDX-License-Identifier: MIT
// Stage 3, too. Who talks to whom, as /proc tells it: whom a fault would hit, meant or not.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "brownout/abi/brownout.h"
#include "brownout/target.hpp"

namespace brownout::target {

using Address = std::array<__u8, 16>; // as in brownout_flow_key
Address local_of(const brownout_flow_key& flow);
Address peer_of(const brownout_flow_key& flow);
// As the other end sees it.
brownout_flow_key turned(const brownout_flow_key& flow);

struct Connection {
  brownout_flow_key flow{}; // local: of the socket
  std::uint64_t inode = 0;
};

// Open TCP connections of a process's network namespace that leave it. `whole`: false when there were too many to read.
struct Connections { std::vector<Connection> open; bool whole = true; };
Connections connections_of(std::int32_t pid, const std::filesystem::path& proc = "/proc");
// The addresses of that namespace, loopback aside.
std::set<Address> addresses_of(std::int32_t pid, const std::filesystem::path& proc = "/proc");

struct Holder { std::int32_t pid = 0; std::string comm; };
// Who of `pids` has these sockets open, by inode. It looks at so many descriptors and no more: some may stay unknown.
std::map<std::uint64_t, Holder> holders_of(const std::set<std::uint64_t>& inodes, const std::vector<std::int32_t>& pids,
                                           const std::filesystem::path& proc = "/proc");

// By which whoever started this process came here.
struct OperatorConnection {
  brownout_flow_key flow{};
  bool peer_is_known = true;      // false for mosh: address as SSH_CONNECTION has it, or zero; no port
  std::uint64_t netns_inode = 0;  // where the server's socket is
  std::string found_by;           // "sshd-session, pid 812"
};
// From our own process up to sshd or mosh-server; from a terminal multiplexer on, up from each of its kind's clients.
// Only when no socket is found: what SSH_CONNECTION says.
std::vector<OperatorConnection> operator_connections(const std::filesystem::path& proc = "/proc");

// A TCP connection of a container runtime, outside the target, to one of the target's addresses.
struct RuntimeConnection {
  brownout_flow_key flow{}; // local: the target's side
  Holder holder;
};
std::vector<RuntimeConnection> runtime_connections(const Target& target, const std::filesystem::path& proc = "/proc");

}  // namespace brownout::target
