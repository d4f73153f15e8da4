// SPDX-License-Identifier: MIT
// Whether a directory of the host is one that the target can see: an app writes its run directory on its own mounts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "brownout/error.hpp"

namespace brownout::events {

struct Mount { // a line of mountinfo
  int id = 0;
  std::string device;      // "98:0"
  std::string root, point; // of the mounted part in its file system; where it is mounted
};
std::vector<Mount> parse_mountinfo(std::string_view text);

// `directory_fd` is open in our mount namespace.
Result<bool> target_sees(int directory_fd, std::int32_t target_pid);

}  // namespace brownout::events
