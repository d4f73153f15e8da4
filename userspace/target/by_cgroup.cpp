// SPDX-License-Identifier: MIT
// Targets that are found in the cgroup tree: by path, by process, or by the unit that systemd named them after.
#include <algorithm>
#include <map>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cgroup_tree.hpp"
#include "proc.hpp"
#include "resolve.hpp"

namespace brownout::target {
namespace {

namespace fs = std::filesystem;

// Both spellings: the directory on the mount, and the path as /proc/PID/cgroup has it.
Result<fs::path> cgroup_directory(const Hierarchy& hierarchy, const fs::path& wanted) {
  fs::path path = wanted.lexically_normal();
  if (!path.has_filename()) path = path.parent_path(); // "a/" is "a"
  std::error_code error;
  if (is_at_or_below(path, hierarchy.mount) && fs::is_directory(path, error)) return path;
  if (auto inside = directory_of(hierarchy, path.native()); inside && fs::is_directory(*inside, error)) return *inside;
  return fail(ErrorCode::kNotFound, fmt::format("there is no v2 cgroup {}", wanted.string()),
              fmt::format("cgroup v2 is mounted on {}; name a directory there, or a path as in /proc/PID/cgroup",
                          hierarchy.mount.string()));
}

// One network namespace for all of them, or the drill would reach only some.
Result<std::int32_t> representative(const fs::path& directory, const fs::path& proc) {
  std::map<std::uint64_t, std::int32_t> lowest; // netns -> pid
  for (const auto& folder : subtree(directory)) {
    for (const std::int32_t pid : pids_in(folder).value_or(std::vector<std::int32_t>{})) {
      const auto netns = netns_of(pid, proc);
      if (!netns && netns.error().code == ErrorCode::kPermission) return std::unexpected(netns.error());
      if (!netns) continue;
      const auto [entry, added] = lowest.try_emplace(*netns, pid);
      if (!added) entry->second = std::min(entry->second, pid);
    }
  }
  if (lowest.empty())
    return fail(ErrorCode::kNotFound, fmt::format("no process lives in {}", directory.string()),
                "start it, and put it under load, before the drill");
  if (lowest.size() == 1) return lowest.begin()->second;
  std::vector<std::string> found;
  for (const auto& [netns, pid] : lowest) found.push_back(fmt::format("net:[{}] of pid {}", netns, pid));
  return fail(ErrorCode::kAmbiguous,
              fmt::format("the processes in {} live in {} network namespaces: {}", directory.string(), found.size(),
                          fmt::join(found, ", ")),
              "name a cgroup further down, or one of these pids");
}

}  // namespace

Result<> fill_in_from_cgroup(Target& target, const Hierarchy& hierarchy, const fs::path& proc) {
  target.cgroup_level = level_of(hierarchy, target.cgroup_path);
  BROWNOUT_TRY(refuse_too_wide(hierarchy, target, proc)); // before its processes are counted
  BROWNOUT_ASSIGN(target.pid, representative(target.cgroup_path, proc));
  return fill_in(target, hierarchy, proc);
}

Result<Target> resolve_pid(const drill::PidTarget& wanted, const Surroundings& surroundings) {
  std::error_code error;
  if (!fs::exists(surroundings.proc / std::to_string(wanted.pid), error))
    return fail(ErrorCode::kNotFound, fmt::format("there is no process {}", wanted.pid), "it may have ended");
  BROWNOUT_ASSIGN(const Hierarchy hierarchy, read_hierarchy(surroundings.proc));
  Target target{.name = fmt::format("pid {}", wanted.pid), .runtime = "pid", .pid = wanted.pid};
  BROWNOUT_ASSIGN(target.cgroup_path, directory_of_pid(hierarchy, wanted.pid, surroundings.proc));
  BROWNOUT_TRY(fill_in(target, hierarchy, surroundings.proc));
  return target;
}

Result<Target> resolve_cgroup(const drill::CgroupTarget& wanted, const Surroundings& surroundings) {
  BROWNOUT_ASSIGN(const Hierarchy hierarchy, read_hierarchy(surroundings.proc));
  Target target{.name = wanted.path.string(), .runtime = "cgroup"};
  BROWNOUT_ASSIGN(target.cgroup_path, cgroup_directory(hierarchy, wanted.path));
  BROWNOUT_TRY(fill_in_from_cgroup(target, hierarchy, surroundings.proc));
  return target;
}

// systemd names a unit's cgroup after the unit. Users have managers of their own, so that a name may be there twice.
Result<Target> resolve_unit(const drill::UnitTarget& wanted, const Surroundings& surroundings) {
  BROWNOUT_ASSIGN(const Hierarchy hierarchy, read_hierarchy(surroundings.proc));
  auto found = subtree(hierarchy.mount);
  std::erase_if(found, [&](const fs::path& directory) { return directory.filename() != wanted.name; });
  if (found.empty())
    return fail(ErrorCode::kNotFound, fmt::format("no cgroup below {} is that of {}", hierarchy.mount.string(), wanted.name),
                "is the unit active? `systemctl status` says; a unit without processes has no cgroup");
  if (found.size() > 1) {
    auto failure = fail(ErrorCode::kAmbiguous, fmt::format("{} units are called {}", found.size(), wanted.name),
                        "name the one that is meant by its path: `cgroup` instead of `unit`");
    for (const auto& directory : found) failure.error().context.push_back(directory.string());
    return failure;
  }
  Target target{.name = wanted.name, .runtime = "systemd", .cgroup_path = found.front()};
  BROWNOUT_TRY(fill_in_from_cgroup(target, hierarchy, surroundings.proc));
  return target;
}

}  // namespace brownout::target
