// SPDX-License-Identifier: MIT
// The cgroup v2 hierarchy as seen from here: through one mount, perhaps of a part of it, perhaps from within a cgroup
// namespace. Paths of /proc/PID/cgroup are relative to that namespace, directories to that mount, levels to neither.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "brownout/error.hpp"

namespace brownout::target {

struct Hierarchy {
  std::filesystem::path mount;
  std::string mount_root;  // as in mountinfo: relative to our cgroup namespace
  int mount_level = 0;     // of the mounted cgroup in the whole hierarchy
};

Result<Hierarchy> read_hierarchy(const std::filesystem::path& proc);
// Of a path as in /proc/PID/cgroup; nothing when it lies outside of what is mounted.
std::optional<std::filesystem::path> directory_of(const Hierarchy& hierarchy, std::string_view path);
// By the path in /proc/PID/cgroup, made sure of by cgroup.procs, and by search where names do not lead there.
Result<std::filesystem::path> directory_of_pid(const Hierarchy& hierarchy, std::int32_t pid,
                                               const std::filesystem::path& proc);
// Depth below the root of the whole hierarchy: index of BPF's cgrp->ancestors[].
int level_of(const Hierarchy& hierarchy, const std::filesystem::path& directory);
bool is_at_or_below(const std::filesystem::path& directory, const std::filesystem::path& ancestor);

}  // namespace brownout::target
