// SPDX-License-Identifier: MIT
// This program once more, as a process with a duty of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "brownout/error.hpp"
#include "brownout/fd.hpp"

namespace brownout {

// Made by exec, so that it can hold none of our descriptors, in a session of its own with every signal blocked that can be.
// Packets of `socket` are what it reads and writes on its stdout; that end is gone when it is.
struct Companion {
  std::int32_t pid = 0;
  UniqueFd process;  // pidfd
  UniqueFd socket;   // SOCK_SEQPACKET
};

// Waits until it says that it is ready. `what` it is, for errors: "the guardian".
Result<Companion> start_companion(const std::string& what, const std::filesystem::path& executable,
                                  std::vector<std::string> arguments);
// In the companion. Nobody may be left to hear it.
void say_ready();

}  // namespace brownout
