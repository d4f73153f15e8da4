// SPDX-License-Identifier: MIT
// What /proc says of a process. `proc` is its root, so that tests can bring their own tree.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "brownout/error.hpp"

namespace brownout::target {

// Ascending; processes that come and go meanwhile may be missed.
std::vector<std::int32_t> all_pids(const std::filesystem::path& proc);
Result<std::int32_t> own_pid(const std::filesystem::path& proc);
// Empty when the process is gone.
std::string comm_of(std::int32_t pid, const std::filesystem::path& proc);
// 0 when there is none, or the process is gone.
std::int32_t parent_of(std::int32_t pid, const std::filesystem::path& proc);
Result<std::uint64_t> netns_of(std::int32_t pid, const std::filesystem::path& proc);
// The number in "net:[4026531840]".
Result<std::uint64_t> namespace_inode(const std::filesystem::path& link);

}  // namespace brownout::target
