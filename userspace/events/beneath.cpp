// SPDX-License-Identifier: MIT
#include "beneath.hpp"

#include <cerrno>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "brownout/events.hpp"

namespace brownout::events {
namespace {

constexpr const char* kNotFollowed = "Links and mounts are not followed out of the run directory.";

int openat2(int directory_fd, const char* path, int flags, std::uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = resolve;
  long fd = ::syscall(SYS_openat2, directory_fd, path, &how, sizeof how);
  // EAGAIN: something was renamed while the kernel walked; it cannot tell whether the walk stayed inside.
  for (int again = 0; fd < 0 && errno == EAGAIN && again < 100; ++again)
    fd = ::syscall(SYS_openat2, directory_fd, path, &how, sizeof how);
  return static_cast<int>(fd);
}

// Older kernels, and seccomp filters that do not know the call.
bool is_missing(int error) { return error == ENOSYS || error == EPERM; }

std::unexpected<Error> refuse_to_open(const std::string& path, int error) {
  const auto code = error == ENOENT || error == ENOTDIR   ? ErrorCode::kNotFound
                    : error == ELOOP || error == EXDEV ? ErrorCode::kRefused
                                                       : ErrorCode::kIo;
  return fail_errno(code, error, "open " + path, code == ErrorCode::kRefused ? kNotFollowed : "");
}

bool climbs(const std::string& path) {
  if (path.empty() || path.front() == '/') return true;
  for (const auto& part : std::filesystem::path{path})
    if (part == "..") return true;
  return false;
}

// Component by component, each without following a link.
Result<UniqueFd> walk_within(int directory_fd, const std::string& path, int flags) {
  UniqueFd holder;
  int at = directory_fd;
  const std::filesystem::path whole{path};
  for (auto part = whole.begin(); part != whole.end(); ++part) {
    const bool last = std::next(part) == whole.end();
    UniqueFd next{::openat(at, part->c_str(), (last ? flags : O_PATH | O_DIRECTORY) | O_NOFOLLOW | O_CLOEXEC)};
    if (!next) return refuse_to_open(path, errno);
    holder = std::move(next);
    at = holder.get();
  }
  return holder;
}

// A file that is held without being open. To open a device is to use it (a watchdog starts, a tape rewinds), and a
// container can put one anywhere: only what was found to be a file comes here. O_NONBLOCK: a lease on it must not hang us.
Result<UniqueFd> open_held_file(int fd, const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  const auto held = fmt::format("/proc/self/fd/{}", fd);
  UniqueFd file{::open(held.c_str(), kFlags | O_NOATIME)};
  if (!file && errno == EPERM) file = UniqueFd{::open(held.c_str(), kFlags)};
  if (!file) return fail_errno(ErrorCode::kIo, "open " + path);
  return file;
}

}  // namespace

Result<UniqueFd> open_within(int directory_fd, const std::string& path, int flags) {
  if (climbs(path)) return refuse_to_open(path, EXDEV);
  const int fd = openat2(directory_fd, path.c_str(), flags | O_NOFOLLOW,
                         RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
  if (fd >= 0) return UniqueFd{fd};
  if (is_missing(errno)) return walk_within(directory_fd, path, flags);
  return refuse_to_open(path, errno);
}

Result<UniqueFd> open_in_root(int root_fd, const std::string& path, int flags) {
  const int fd = openat2(root_fd, path.c_str(), flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  if (fd >= 0) return UniqueFd{fd};
  if (is_missing(errno))
    return fail_errno(ErrorCode::kUnsupported, "openat2 " + path, "Paths in a container need openat2 (Linux 5.6).");
  return refuse_to_open(path, errno);
}

std::string kind_of(mode_t mode) {
  if (S_ISREG(mode)) return "file";
  if (S_ISDIR(mode)) return "directory";
  if (S_ISLNK(mode)) return "symbolic link";
  if (S_ISFIFO(mode)) return "FIFO";
  if (S_ISSOCK(mode)) return "socket";
  return "device";
}

Result<UniqueFd> open_beneath(int directory_fd, const std::string& path) {
  BROWNOUT_ASSIGN(const auto place, open_within(directory_fd, path, O_PATH));
  struct stat status {};
  if (::fstat(place.get(), &status) != 0) return fail_errno(ErrorCode::kIo, "stat " + path);
  if (!S_ISREG(status.st_mode))
    return fail(ErrorCode::kRefused, fmt::format("{} is a {}, not a regular file", path, kind_of(status.st_mode)),
                S_ISLNK(status.st_mode) ? kNotFollowed : "");
  return open_held_file(place.get(), path);
}

}  // namespace brownout::events
