// SPDX-License-Identifier: MIT
// Who is hit: processes in the target's cgroup, and others in its network namespace.
#include <algorithm>
#include <set>

#include "brownout/target.hpp"
#include "cgroup_tree.hpp"
#include "hierarchy.hpp"
#include "proc.hpp"

namespace brownout::target {
namespace {
namespace fs = std::filesystem;
}

Result<std::vector<Process>> processes(const Target& target, const fs::path& proc) {
  BROWNOUT_TRY(pids_in(target.cgroup_path)); // a target that has gone is an error, not an empty one
  std::vector<Process> found;
  for (const auto& directory : subtree(target.cgroup_path))
    for (const std::int32_t pid : pids_in(directory).value_or(std::vector<std::int32_t>{}))
      found.push_back({pid, comm_of(pid, proc), directory});
  std::ranges::sort(found, {}, &Process::pid);
  return found;
}

std::vector<Process> netns_neighbours(const Target& target, const fs::path& proc) {
  std::set<std::int32_t> members;
  for (const auto& process : processes(target, proc).value_or(std::vector<Process>{})) members.insert(process.pid);
  std::set<fs::path> seen;
  std::vector<Process> neighbours;
  for (const std::int32_t pid : all_pids(proc)) {
    if (members.contains(pid) || netns_of(pid, proc).value_or(0) != target.netns_inode) continue;
    const auto cgroup = cgroup_of_pid(pid, proc);
    if (cgroup && seen.insert(*cgroup).second) neighbours.push_back({pid, comm_of(pid, proc), *cgroup});
  }
  return neighbours;
}

}  // namespace brownout::target
