// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>

#include <bpf/bpf.h>
#include <fmt/format.h>

#include "brownout/fd.hpp"
#include "enrol.hpp"

namespace brownout::kernel {

namespace {

struct Owner { // struct owner of bpf/trace/owner.h
  std::uint32_t pid = 0;
  std::array<char, BROWNOUT_COMM_LENGTH> comm{};
};
static_assert(sizeof(Owner) == 20);

// "socket:[12345]"
std::optional<std::uint64_t> socket_inode(const std::filesystem::path& descriptor) {
  std::array<char, 64> buffer{};
  const ssize_t length = readlink(descriptor.c_str(), buffer.data(), buffer.size());
  if (length <= 0) return std::nullopt;
  std::string_view text{buffer.data(), static_cast<std::size_t>(length)};
  constexpr std::string_view kPrefix = "socket:[";
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  std::uint64_t inode = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), inode).ec != std::errc{}) return std::nullopt;
  return inode;
}

// A process may be gone by now, then it owns nothing.
void add_sockets(int map, const target::Process& process, bool preferred) {
  Owner owner{.pid = static_cast<std::uint32_t>(process.pid)};
  std::memcpy(owner.comm.data(), process.comm.data(), std::min(process.comm.size(), owner.comm.size() - 1));
  std::error_code gone;
  for (std::filesystem::directory_iterator entry{fmt::format("/proc/{}/fd", process.pid), gone}, end;
       !gone && entry != end; entry.increment(gone)) {
    if (const auto inode = socket_inode(entry->path()))
      // several processes may hold a socket after a fork: the app's own wins, else the first found
      bpf_map_update_elem(map, &*inode, &owner, preferred ? BPF_ANY : BPF_NOEXIST);
  }
}

}  // namespace

Result<> fill_owners(trace_bpf& object, const target::Target& target, const std::string& preferred_comm) {
  BROWNOUT_ASSIGN(const auto processes, target::processes(target));
  const int map = bpf_map__fd(object.maps.owners);
  for (const auto& process : processes)
    add_sockets(map, process, !preferred_comm.empty() && process.comm == preferred_comm);
  return {};
}

}  // namespace brownout::kernel
