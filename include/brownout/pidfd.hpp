// SPDX-License-Identifier: MIT
// A process by a descriptor, which no later process of the same pid can be taken for (pidfd_open, Linux 5.3).
#pragma once

#include <cstdint>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "brownout/fd.hpp"

namespace brownout {

// Empty, with errno, when that fails: ESRCH when there is no such process.
inline UniqueFd open_pidfd(std::int32_t pid) { return UniqueFd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))}; }

// Waits for that for `timeout_ms`, -1: for ever.
inline bool has_ended(const UniqueFd& process, int timeout_ms) {
  pollfd one{process.get(), POLLIN, 0};
  return ::poll(&one, 1, timeout_ms) == 1;
}

}  // namespace brownout
