// SPDX-License-Identifier: MIT
// Directories that match a glob, looked for from a root that need not be ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "brownout/error.hpp"
#include "brownout/fd.hpp"

namespace brownout::events {

struct Candidate {
  UniqueFd directory; // O_PATH
  std::string path;   // as seen from the root
  std::uint64_t device = 0, inode = 0;
  std::int64_t age_ns = 0; // UTC of birth, or of the last modification where births are not told
  bool born = false;       // age_ns is a birth
};

// The newest: by birth time where both tell it, else by modification time, then by path. Nothing: no match.
Result<std::optional<Candidate>> newest_match(int root_fd, const std::string& pattern);

}  // namespace brownout::events
