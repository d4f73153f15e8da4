// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <map>
#include <system_error>

#include <sys/stat.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/target.hpp"
#include "cgroup_tree.hpp"
#include "choose.hpp"
#include "hierarchy.hpp"
#include "proc.hpp"

namespace brownout::target {
namespace {

namespace fs = std::filesystem;

bool names_container(const std::string& component, const std::string& id) {
  return component == id || component.ends_with("-" + id) || component.ends_with("-" + id + ".scope");
}

// The container's own cgroup: its init may have moved into one below it (systemd does).
std::optional<fs::path> cgroup_of_container(const Hierarchy& hierarchy, fs::path directory, const std::string& id) {
  for (; directory != hierarchy.mount && directory != directory.parent_path(); directory = directory.parent_path())
    if (names_container(directory.filename(), id)) return directory;
  return std::nullopt;
}

// A fault there would hit the host, or this very program and whoever started it.
Result<> refuse_too_wide(const Hierarchy& hierarchy, const Target& target, const fs::path& proc) {
  if (target.cgroup_level == 0)
    return fail(ErrorCode::kRefused,
                fmt::format("{} means the root cgroup, which holds the whole machine", target.name),
                "name a container, or a process that has a cgroup of its own");
  BROWNOUT_ASSIGN(const std::int32_t self, own_pid(proc));
  BROWNOUT_ASSIGN(const fs::path own, directory_of_pid(hierarchy, self, proc));
  if (!is_at_or_below(own, target.cgroup_path)) return {};
  return fail(ErrorCode::kRefused, fmt::format("{} holds brownout itself", target.cgroup_path.string()),
              "start brownout outside of the target's cgroup");
}

// Everything that follows from a directory and one process in it.
Result<> fill_in(Target& target, const Hierarchy& hierarchy, const fs::path& proc) {
  struct stat status {};
  if (::stat(target.cgroup_path.c_str(), &status) != 0)
    return fail_errno(ErrorCode::kNotFound, "look at " + target.cgroup_path.string());
  target.cgroup_id = status.st_ino;
  target.cgroup_level = level_of(hierarchy, target.cgroup_path);
  BROWNOUT_TRY(refuse_too_wide(hierarchy, target, proc));
  BROWNOUT_ASSIGN(target.netns_inode, netns_of(target.pid, proc));
  BROWNOUT_ASSIGN(const std::int32_t self, own_pid(proc));
  BROWNOUT_ASSIGN(const std::uint64_t own_netns, netns_of(self, proc));
  target.host_network = target.netns_inode == own_netns;
  return {};
}

Result<Target> resolve_container(const drill::ContainerTarget& wanted, const Surroundings& surroundings) {
  BROWNOUT_ASSIGN(const Container container, find_container(wanted, surroundings));
  BROWNOUT_ASSIGN(const Hierarchy hierarchy, read_hierarchy(surroundings.proc));
  Target target{.name = wanted.name,
                .runtime = container.runtime,
                .container_id = container.id,
                .pid = container.pid,
                .image = container.image,
                .image_digest = container.image_digest,
                .labels = container.labels};
  BROWNOUT_ASSIGN(const fs::path directory, directory_of_pid(hierarchy, container.pid, surroundings.proc));
  const auto own = cgroup_of_container(hierarchy, directory, container.id);
  // docker always puts the id into the path. Without it this pid is somebody else's: docker counts in another pid
  // namespace (a virtual machine, a nested engine).
  if (!own && container.runtime == "docker")
    return fail(ErrorCode::kRefused,
                fmt::format("docker says that '{}' is pid {}, but that process is in cgroup {}, not in the container's",
                            wanted.name, container.pid, directory.string()),
                "run brownout where docker runs, in the same pid namespace");
  target.cgroup_path = own.value_or(directory);
  BROWNOUT_TRY(fill_in(target, hierarchy, surroundings.proc));
  return target;
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

Result<Target> resolve_cgroup(const drill::CgroupTarget& wanted, const Surroundings& surroundings) {
  BROWNOUT_ASSIGN(const Hierarchy hierarchy, read_hierarchy(surroundings.proc));
  Target target{.name = wanted.path.string(), .runtime = "cgroup"};
  BROWNOUT_ASSIGN(target.cgroup_path, cgroup_directory(hierarchy, wanted.path));
  target.cgroup_level = level_of(hierarchy, target.cgroup_path);
  BROWNOUT_TRY(refuse_too_wide(hierarchy, target, surroundings.proc)); // before its processes are counted
  BROWNOUT_ASSIGN(target.pid, representative(target.cgroup_path, surroundings.proc));
  BROWNOUT_TRY(fill_in(target, hierarchy, surroundings.proc));
  return target;
}

}  // namespace

Result<Target> resolve(const drill::Target& wanted, const Surroundings& surroundings) {
  if (const auto* container = std::get_if<drill::ContainerTarget>(&wanted))
    return resolve_container(*container, surroundings);
  if (const auto* cgroup = std::get_if<drill::CgroupTarget>(&wanted)) return resolve_cgroup(*cgroup, surroundings);
  return resolve_pid(std::get<drill::PidTarget>(wanted), surroundings);
}

}  // namespace brownout::target
