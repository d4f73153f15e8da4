// SPDX-License-Identifier: MIT
// What a container can put in the place of a file.
#pragma once

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <stdexcept>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "brownout/fd.hpp"
#include "scratch_directory.hpp"

namespace brownout::test {

inline void make_fifo(const std::filesystem::path& path) {
  if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("mkfifo " + path.string());
}

inline void make_socket(const std::filesystem::path& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  const UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("bind " + path.string());
}

// Of a driver that no machine has: to open it fails in another way than to refuse it. False: not allowed here.
inline bool make_device(const std::filesystem::path& path) {
  return ::mknod(path.c_str(), S_IFCHR | 0600, ::makedev(240, 77)) == 0;
}

inline void make_sparse(const std::filesystem::path& path, std::uint64_t size) {
  spill(path, "");
  std::filesystem::resize_file(path, size);
}

inline constexpr std::uint64_t kTenGigabytes = 10'000'000'000;

// What is refused must be refused at once, also on a slow machine and with sanitizers; what hangs does not come back at all.
inline constexpr std::chrono::seconds kAtOnce{20};

class Stopwatch {
 public:
  bool at_once() const { return std::chrono::steady_clock::now() - begun_ < kAtOnce; }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace brownout::test
