// SPDX-License-Identifier: MIT
#include "netns.hpp"

#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <fmt/format.h>

namespace brownout::kernel {

Result<UniqueFd> open_netns(std::int32_t pid) {
  const std::string path = pid == 0 ? "/proc/thread-self/ns/net" : fmt::format("/proc/{}/ns/net", pid);
  return open_file(path, O_RDONLY);
}

Result<UniqueFd> make_netns() {
  Result<UniqueFd> made;
  // A thread of its own: the calling one never leaves its namespace.
  std::thread([&made] {
    made = ::unshare(CLONE_NEWNET) == 0
               ? open_netns(0)
               : Result<UniqueFd>{fail_errno(errno == EPERM ? ErrorCode::kPermission : ErrorCode::kKernel,
                                             "make a network namespace", "CAP_SYS_ADMIN is needed: run as root.")};
  }).join();
  return made;
}

Result<std::uint64_t> netns_inode(const UniqueFd& netns) {
  struct stat status {};
  if (::fstat(netns.get(), &status) != 0) return fail_errno(ErrorCode::kIo, "stat a network namespace");
  return status.st_ino;
}

Result<> in_netns(const UniqueFd& netns, const std::function<Result<>()>& work) {
  Result<> outcome;
  std::thread([&] {
    outcome = ::setns(netns.get(), CLONE_NEWNET) == 0
                  ? work()
                  : Result<>{fail_errno(errno == EPERM ? ErrorCode::kPermission : ErrorCode::kKernel,
                                        "enter a network namespace", "CAP_SYS_ADMIN is needed: run as root.")};
  }).join();
  return outcome;
}

}  // namespace brownout::kernel
