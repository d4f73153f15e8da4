// SPDX-License-Identifier: MIT
#include "sockets.hpp"

#include <algorithm>
#include <charconv>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include "brownout/abi/match.h"
#include "brownout/fd.hpp"
#include "proc.hpp"

namespace brownout::target {
namespace {

namespace fs = std::filesystem;

// About 200,000 sockets, which take half a second to list.
constexpr std::size_t kMostBytes = std::size_t{32} << 20;
constexpr int kTimeWait = 6, kClose = 7, kListen = 10; // linux/tcp_states.h

std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const auto word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

template <typename T>
bool parse(std::string_view text, T& into, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  return error == std::errc{} && end == text.data() + text.size();
}

// "0100007F:1F90": words of 32 bits as this machine has them in memory, and the port.
bool parse_endpoint(std::string_view text, __u8 (&address)[16], __u16& port) {
  const auto colon = text.find(':');
  if ((colon != 8 && colon != 32) || !parse(text.substr(colon + 1), port, 16)) return false;
  const std::size_t first = colon == 8 ? 12 : 0;
  if (first == 12) address[10] = address[11] = 0xff;
  for (std::size_t i = 0; first + 4 * i < 16; ++i) {
    std::uint32_t word = 0;
    if (!parse(text.substr(8 * i, 8), word, 16)) return false;
    std::memcpy(address + first + 4 * i, &word, sizeof word);
  }
  return true;
}

SocketState state_of(int number) {
  if (number == kListen) return SocketState::kListening;
  return number == kTimeWait || number == kClose ? SocketState::kOver : SocketState::kOpen;
}

// "sl local remote st tx:rx tr:when retransmits uid timeout inode ..."; the heading is none.
std::optional<Socket> parse_line(std::string_view line, std::uint8_t protocol) {
  Socket socket;
  socket.flow.protocol = protocol;
  next_word(line);
  int state = 0;
  if (!parse_endpoint(next_word(line), socket.flow.local_address, socket.flow.local_port) ||
      !parse_endpoint(next_word(line), socket.flow.peer_address, socket.flow.peer_port) ||
      !parse(next_word(line), state, 16))
    return std::nullopt;
  for (int skipped = 0; skipped < 5; ++skipped) next_word(line);
  if (!parse(next_word(line), socket.inode, 10)) return std::nullopt;
  socket.state = state_of(state);
  return socket;
}

void read_list(const fs::path& path, std::uint8_t protocol, Sockets& into) {
  const auto file = open_file(path, O_RDONLY);
  if (!file) return; // no IPv6, or the process has gone
  std::string pending;
  char buffer[1 << 16];
  for (std::size_t bytes = 0; bytes < kMostBytes;) {
    const ssize_t got = ::read(file->get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    bytes += static_cast<std::size_t>(got);
    pending.append(buffer, static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (auto end = pending.find('\n'); end != std::string::npos; begin = end + 1, end = pending.find('\n', begin))
      if (auto socket = parse_line(std::string_view{pending}.substr(begin, end - begin), protocol))
        into.list.push_back(*socket);
    pending.erase(0, begin);
  }
  into.whole = false;
}

Address address_of(const __u8 (&bytes)[16]) {
  Address address;
  std::ranges::copy(bytes, address.begin());
  return address;
}

}  // namespace

Sockets read_sockets(std::int32_t pid, std::uint8_t protocol, const fs::path& proc) {
  Sockets sockets;
  const auto folder = proc / std::to_string(pid) / "net";
  const std::string name = protocol == IPPROTO_UDP ? "udp" : "tcp";
  read_list(folder / name, protocol, sockets);
  read_list(folder / (name + "6"), protocol, sockets);
  return sockets;
}

std::set<std::uint64_t> socket_inodes(std::int32_t pid, std::size_t& most, const fs::path& proc) {
  constexpr std::string_view kPrefix = "socket:[";
  std::set<std::uint64_t> inodes;
  std::error_code error;
  for (fs::directory_iterator entry{proc / std::to_string(pid) / "fd", error}, end; !error && entry != end && most > 0;
       entry.increment(error), --most) {
    std::error_code gone;
    const std::string to = fs::read_symlink(entry->path(), gone);
    std::uint64_t inode = 0;
    if (to.starts_with(kPrefix) &&
        parse(std::string_view{to}.substr(kPrefix.size(), to.size() - kPrefix.size() - 1), inode, 10))
      inodes.insert(inode);
  }
  return inodes;
}

std::map<std::uint64_t, Holder> holders_of(const std::set<std::uint64_t>& inodes, const std::vector<std::int32_t>& pids,
                                           const fs::path& proc) {
  std::size_t most = 50'000; // a fifth of a second
  std::map<std::uint64_t, Holder> holders;
  for (const std::int32_t pid : pids) {
    if (holders.size() == inodes.size() || most == 0) break;
    for (const auto inode : socket_inodes(pid, most, proc))
      if (inodes.contains(inode)) holders.try_emplace(inode, Holder{pid, comm_of(pid, proc)});
  }
  return holders;
}

bool is_loopback(const Address& address) {
  static constexpr Address kLoopback6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return address == kLoopback6 || (brownout_is_v4_mapped(address.data()) && address[12] == 127);
}

Address local_of(const brownout_flow_key& flow) { return address_of(flow.local_address); }
Address peer_of(const brownout_flow_key& flow) { return address_of(flow.peer_address); }

brownout_flow_key turned(const brownout_flow_key& flow) {
  brownout_flow_key other = flow;
  std::swap(other.local_address, other.peer_address);
  std::swap(other.local_port, other.peer_port);
  return other;
}

}  // namespace brownout::target
