// SPDX-License-Identifier: MIT
// Which connections a network namespace has, and whose they are.
#include "brownout/connections.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "brownout/fd.hpp"
#include "proc.hpp"
#include "sockets.hpp"

namespace brownout::target {
namespace {

namespace fs = std::filesystem;

// Not docker-proxy: what it carries is the container's own traffic, from whoever calls a published port.
constexpr std::array<std::string_view, 6> kRuntimes{"dockerd", "containerd", "podman", "conmon", "crio", "kubelet"};

bool is_runtime(std::string_view comm) {
  return std::ranges::find(kRuntimes, comm) != kRuntimes.end() || comm.starts_with("containerd-shim");
}

std::string net_file(std::int32_t pid, std::string_view name, const fs::path& proc) {
  return read_file(proc / std::to_string(pid) / "net" / name).value_or("");
}

// Addresses stand one line above what they are for: "|-- 172.17.0.2", then "/32 host LOCAL".
void add_v4(std::istringstream trie, std::set<Address>& into) {
  constexpr std::string_view kLeaf = "|-- ";
  std::string latest;
  for (std::string line; std::getline(trie, line);) {
    if (const auto at = line.find(kLeaf); at != std::string::npos) latest = line.substr(at + kLeaf.size());
    Address address{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (line.ends_with("/32 host LOCAL") && ::inet_pton(AF_INET, latest.c_str(), &address[12]) == 1)
      into.insert(address);
  }
}

// "fd000000000000000000000000000002 02 40 00 80 eth0"
void add_v6(std::istringstream lines, std::set<Address>& into) {
  for (std::string line; std::getline(lines, line);) {
    std::string text;
    for (std::size_t at = 0; at < std::min<std::size_t>(line.size(), 32); at += 4) {
      if (at > 0) text += ':';
      text += line.substr(at, 4);
    }
    Address address{};
    if (::inet_pton(AF_INET6, text.c_str(), address.data()) == 1) into.insert(address);
  }
}

}  // namespace

std::set<Address> addresses_of(std::int32_t pid, const fs::path& proc) {
  std::set<Address> addresses;
  add_v4(std::istringstream{net_file(pid, "fib_trie", proc)}, addresses);
  add_v6(std::istringstream{net_file(pid, "if_inet6", proc)}, addresses);
  std::erase_if(addresses, is_loopback);
  return addresses;
}

Connections connections_of(std::int32_t pid, const fs::path& proc) {
  const auto own = addresses_of(pid, proc);
  const Sockets sockets = read_sockets(pid, IPPROTO_TCP, proc);
  Connections connections{.whole = sockets.whole};
  for (const auto& socket : sockets.list) {
    const Address peer = peer_of(socket.flow);
    if (socket.state == SocketState::kOpen && !is_loopback(peer) && !own.contains(peer))
      connections.open.push_back({socket.flow, socket.inode});
  }
  return connections;
}

std::vector<RuntimeConnection> runtime_connections(const Target& target, const fs::path& proc) {
  const auto addresses = addresses_of(target.pid, proc);
  std::set<std::int32_t> members;
  for (const auto& process : processes(target, proc).value_or(std::vector<Process>{})) members.insert(process.pid);
  std::map<std::uint64_t, std::vector<std::int32_t>> runtimes; // by network namespace
  for (const std::int32_t pid : all_pids(proc))
    if (!members.contains(pid) && is_runtime(comm_of(pid, proc)))
      runtimes[netns_of(pid, proc).value_or(0)].push_back(pid);
  runtimes.erase(target.netns_inode);
  std::vector<RuntimeConnection> found;
  for (const auto& [netns, pids] : runtimes) {
    std::map<std::uint64_t, brownout_flow_key> to_target;
    for (const auto& socket : read_sockets(pids.front(), IPPROTO_TCP, proc).list)
      if (socket.state == SocketState::kOpen && addresses.contains(peer_of(socket.flow)))
        to_target.emplace(socket.inode, turned(socket.flow));
    std::set<std::uint64_t> inodes;
    for (const auto& [inode, flow] : to_target) inodes.insert(inode);
    for (const auto& [inode, holder] : holders_of(inodes, pids, proc)) found.push_back({to_target.at(inode), holder});
  }
  return found;
}

}  // namespace brownout::target
