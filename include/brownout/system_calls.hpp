// SPDX-License-Identifier: MIT
// A filter on the process's own system calls (seccomp(2)), for when there is no more set-up to do.
#pragma once

#include <string>

#include "brownout/error.hpp"

namespace brownout {

struct SystemCallFilter {
  std::string absent;  // why there is none; empty: it is in force
};

// From here on no thread of this process, and nothing that it executes, enters or makes a namespace, mounts, traces or reads
// another process, loads a program (BPF or module) or opens one by its id, and so on: docs/security.md has the list. Such
// a call fails with EPERM. It cannot be taken back. Needs no_new_privs or CAP_SYS_ADMIN; on Linux since 3.17.
Result<SystemCallFilter> filter_system_calls();

}  // namespace brownout
