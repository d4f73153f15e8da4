// SPDX-License-Identifier: MIT
// By which connection the operator came: found by sockets; the environment is only a hint, as anyone can set it, and
// a multiplexer keeps that of whoever started it.
#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <ranges>
#include <sstream>
#include <string_view>
#include <tuple>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <fmt/format.h>

#include "brownout/connections.hpp"
#include "brownout/fd.hpp"
#include "proc.hpp"
#include "sockets.hpp"

namespace brownout::target {
namespace {

namespace fs = std::filesystem;
using Pids = std::vector<std::int32_t>;

constexpr std::size_t kLongestAncestry = 256;
constexpr std::size_t kMostDescriptors = 4096; // of one server's process
constexpr std::string_view kMosh = "mosh-server";
// One connection has up to three processes: the listener, what it forked, and the unprivileged one that works.
constexpr std::array<std::string_view, 4> kSshServers{"sshd", "sshd-session", "sshd-auth", "dropbear"};
// Their server is nobody's descendant: its clients, which look alike, are where operators sit.
constexpr std::array<std::string_view, 6> kMultiplexers{"tmux", "screen", "SCREEN", "zellij", "dtach", "abduco"};

bool is_ssh_server(std::string_view comm) { return std::ranges::find(kSshServers, comm) != kSshServers.end(); }

// "tmux: server"
std::string_view multiplexer_of(std::string_view comm) {
  const auto found = std::ranges::find(kMultiplexers, comm.substr(0, comm.find(':')));
  return found != kMultiplexers.end() ? *found : std::string_view{};
}

// From the process itself up to its last ancestor.
Pids ancestry(std::int32_t pid, const fs::path& proc) {
  Pids chain;
  for (; pid > 0 && chain.size() < kLongestAncestry; pid = parent_of(pid, proc)) chain.push_back(pid);
  return chain;
}

std::string found_by(std::int32_t pid, const fs::path& proc) {
  return fmt::format("{}, pid {}", comm_of(pid, proc), pid);
}

// Of all sockets of one connection's processes, the ones that all of them have; a process without any says nothing.
std::set<std::uint64_t> common_sockets(const std::map<std::int32_t, std::set<std::uint64_t>>& of_process) {
  std::set<std::uint64_t> common;
  for (const auto& [pid, inodes] : of_process) {
    if (common.empty()) {
      common = inodes;
      continue;
    }
    std::set<std::uint64_t> both;
    std::ranges::set_intersection(common, inodes, std::inserter(both, both.end()));
    if (!both.empty()) common = both;
  }
  return common;
}

// A server also holds what it forwards: the connection is what was accepted at a port that is listened at.
std::vector<Socket> accepted_ones(const std::vector<Socket>& candidates, const Sockets& sockets) {
  std::set<std::uint16_t> listened;
  for (const auto& socket : sockets.list)
    if (socket.state == SocketState::kListening) listened.insert(socket.flow.local_port);
  std::vector<Socket> accepted;
  std::ranges::copy_if(candidates, std::back_inserter(accepted),
                       [&](const Socket& socket) { return listened.contains(socket.flow.local_port); });
  return accepted.empty() ? candidates : accepted;
}

// `servers`: neighbours in one ancestry, the nearest to us first.
void add_ssh(const Pids& servers, const fs::path& proc, std::vector<OperatorConnection>& into) {
  if (servers.empty()) return;
  const Sockets sockets = read_sockets(servers.front(), IPPROTO_TCP, proc);
  std::map<std::int32_t, std::set<std::uint64_t>> open;
  for (const auto pid : servers) {
    std::size_t most = kMostDescriptors;
    const auto inodes = socket_inodes(pid, most, proc);
    for (const auto& socket : sockets.list)
      if (socket.state == SocketState::kOpen && inodes.contains(socket.inode)) open[pid].insert(socket.inode);
  }
  const auto common = common_sockets(open);
  std::vector<Socket> candidates;
  std::ranges::copy_if(sockets.list, std::back_inserter(candidates), [&](const Socket& socket) {
    return socket.state == SocketState::kOpen && common.contains(socket.inode);
  });
  for (const auto& socket : accepted_ones(candidates, sockets))
    into.push_back({.flow = socket.flow,
                    .netns_inode = netns_of(servers.front(), proc).value_or(0),
                    .found_by = found_by(servers.front(), proc)});
}

bool read_address(std::string text, __u8 (&into)[16]) {
  text = text.substr(0, text.find('%')); // the scope of a link-local address
  if (!text.contains(':')) text.insert(0, "::ffff:");
  return ::inet_pton(AF_INET6, text.c_str(), into) == 1;
}

// "SSH_CONNECTION=PEER PORT LOCAL PORT" of the nearest process that has it.
std::optional<brownout_flow_key> hint_of(const Pids& chain, const fs::path& proc) {
  constexpr std::string_view kVariable = "SSH_CONNECTION=";
  for (const auto pid : chain) {
    const std::string environment = read_file(proc / std::to_string(pid) / "environ").value_or("");
    for (const auto part : std::views::split(environment, '\0')) {
      const std::string_view entry{part};
      if (!entry.starts_with(kVariable)) continue;
      std::istringstream words{std::string{entry.substr(kVariable.size())}};
      std::string peer, local;
      brownout_flow_key flow{};
      flow.protocol = IPPROTO_TCP;
      if (words >> peer >> flow.peer_port >> local >> flow.local_port && read_address(peer, flow.peer_address) &&
          read_address(local, flow.local_address))
        return flow;
    }
  }
  return std::nullopt;
}

// It serves whoever has the key, wherever they are: its socket knows no peer, but who started it came by SSH.
void add_mosh(std::int32_t server, const fs::path& proc, std::vector<OperatorConnection>& into) {
  std::size_t most = kMostDescriptors;
  const auto inodes = socket_inodes(server, most, proc);
  const auto hint = hint_of({server}, proc);
  for (auto socket : read_sockets(server, IPPROTO_UDP, proc).list) {
    if (!inodes.contains(socket.inode)) continue;
    if (hint) std::ranges::copy(hint->peer_address, socket.flow.peer_address);
    if (hint) std::ranges::copy(hint->local_address, socket.flow.local_address);
    into.push_back({.flow = socket.flow,
                    .peer_is_known = false,
                    .netns_inode = netns_of(server, proc).value_or(0),
                    .found_by = found_by(server, proc)});
  }
}

void add_servers(const Pids& chain, const fs::path& proc, std::vector<OperatorConnection>& into) {
  Pids servers;
  for (const auto pid : chain) {
    const std::string comm = comm_of(pid, proc);
    if (is_ssh_server(comm)) {
      servers.push_back(pid);
      continue;
    }
    add_ssh(std::exchange(servers, {}), proc, into);
    if (comm == kMosh) add_mosh(pid, proc, into);
  }
  add_ssh(servers, proc, into);
}

void add_clients_of(std::string_view multiplexer, const Pids& chain, const fs::path& proc,
                    std::vector<OperatorConnection>& into) {
  for (const auto pid : all_pids(proc))
    if (std::ranges::find(chain, pid) == chain.end() && multiplexer_of(comm_of(pid, proc)) == multiplexer)
      add_servers(ancestry(pid, proc), proc, into);
}

void drop_repeated(std::vector<OperatorConnection>& connections) {
  const auto key = [](const OperatorConnection& c) {
    return std::tuple{local_of(c.flow), c.flow.local_port, peer_of(c.flow), c.flow.peer_port, c.netns_inode};
  };
  std::ranges::sort(connections, {}, key);
  const auto repeated = std::ranges::unique(connections, {}, key);
  connections.erase(repeated.begin(), repeated.end());
}

}  // namespace

std::vector<OperatorConnection> operator_connections(const fs::path& proc) {
  const auto self = own_pid(proc);
  if (!self) return {};
  const Pids chain = ancestry(*self, proc);
  std::vector<OperatorConnection> found;
  add_servers(chain, proc, found);
  for (const auto pid : chain)
    if (const auto multiplexer = multiplexer_of(comm_of(pid, proc)); !multiplexer.empty())
      add_clients_of(multiplexer, chain, proc, found);
  drop_repeated(found);
  if (!found.empty()) return found;
  if (const auto hint = hint_of(chain, proc))
    found.push_back({.flow = *hint,
                     .netns_inode = netns_of(*self, proc).value_or(0),
                     .found_by = "by SSH_CONNECTION in the environment, which is only a hint"});
  return found;
}

}  // namespace brownout::target
