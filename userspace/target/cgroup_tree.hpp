// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "brownout/error.hpp"

namespace brownout::target {

// cgroup.procs of one directory; processes of a foreign pid namespace (shown as 0) are left out.
Result<std::vector<std::int32_t>> pids_in(const std::filesystem::path& directory);
bool holds(const std::filesystem::path& directory, std::int32_t pid);
// The directory at or below `top` whose cgroup.procs names the pid.
std::optional<std::filesystem::path> find_holding(const std::filesystem::path& top, std::int32_t pid);
// `top` and everything below it, parents first. Cgroups that vanish meanwhile are left out.
std::vector<std::filesystem::path> subtree(const std::filesystem::path& top);

}  // namespace brownout::target
