// SPDX-License-Identifier: MIT
#include "netns.hpp"

#include <cerrno>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

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

Result<NetnsVisit> NetnsVisit::enter(std::int32_t pid) {
  BROWNOUT_ASSIGN(const UniqueFd there, open_netns(pid));
  return enter(there);
}

Result<NetnsVisit> NetnsVisit::enter(const UniqueFd& netns) {
  BROWNOUT_ASSIGN(UniqueFd home, open_netns(0));
  if (::setns(netns.get(), CLONE_NEWNET) != 0)
    return fail_errno(errno == EPERM ? ErrorCode::kPermission : ErrorCode::kKernel, "enter a network namespace",
                      "CAP_SYS_ADMIN is needed: run as root.");
  return NetnsVisit{std::move(home)};
}

NetnsVisit::~NetnsVisit() {
  if (!home_ || ::setns(home_.get(), CLONE_NEWNET) == 0) return;
  // To go on in somebody else's namespace would be worse than to stop: everything of ours dies with the process.
  spdlog::critical("cannot return to our own network namespace: errno {}", errno);
  std::abort();
}

}  // namespace brownout::kernel
