// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace brownout::target {

struct Mount {
  std::string root;            // which part of the file system is mounted, as our cgroup namespace sees it
  std::filesystem::path point;
  std::string type;
  std::string options;         // of the file system: "rw,freezer"
};

// Lines of /proc/PID/mountinfo that are not hidden beneath a later mount.
std::vector<Mount> visible_mounts(std::string_view mountinfo);

}  // namespace brownout::target
