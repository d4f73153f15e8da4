// SPDX-License-Identifier: MIT
#include "cgroup_tree.hpp"

#include <algorithm>
#include <cerrno>
#include <sstream>
#include <system_error>

#include "brownout/fd.hpp"

namespace brownout::target {
namespace {
namespace fs = std::filesystem;
}

Result<std::vector<std::int32_t>> pids_in(const fs::path& directory) {
  const auto content = read_file(directory / "cgroup.procs");
  // A threaded cgroup has no processes of its own: they are listed where its threaded domain begins.
  if (!content && content.error().errno_value == EOPNOTSUPP) return std::vector<std::int32_t>{};
  if (!content) return std::unexpected(content.error());
  std::istringstream stream{*content};
  std::vector<std::int32_t> pids;
  for (std::int32_t pid = 0; stream >> pid;)
    if (pid > 0) pids.push_back(pid);
  return pids;
}

bool holds(const fs::path& directory, std::int32_t pid) {
  const auto pids = pids_in(directory);
  return pids && std::ranges::find(*pids, pid) != pids->end();
}

std::optional<fs::path> find_holding(const fs::path& top, std::int32_t pid) {
  for (const auto& directory : subtree(top))
    if (holds(directory, pid)) return directory;
  return std::nullopt;
}

std::vector<fs::path> subtree(const fs::path& top) {
  std::vector<fs::path> found{top};
  for (std::size_t next = 0; next < found.size(); ++next) {
    std::error_code error;
    for (fs::directory_iterator entry{found[next], error}, end; !error && entry != end; entry.increment(error)) {
      std::error_code gone;
      if (entry->is_directory(gone) && !entry->is_symlink(gone)) found.push_back(entry->path());
    }
  }
  return found;
}

}  // namespace brownout::target
