// SPDX-License-Identifier: MIT
// A network namespace by its path. Who is in it is found by its processes, and they by their cgroup: the kernel follows
// sockets by that.
#include <algorithm>
#include <cerrno>
#include <ranges>
#include <set>
#include <system_error>
#include <vector>

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <fmt/format.h>

#include "cgroup_tree.hpp"
#include "proc.hpp"
#include "resolve.hpp"

namespace brownout::target {
namespace {

namespace fs = std::filesystem;

// /run/netns/NAME is the namespace itself, mounted there; /proc/PID/ns/net is a link that says its number.
Result<std::uint64_t> inode_of(const fs::path& path) {
  std::error_code error;
  if (fs::is_symlink(path, error)) return namespace_inode(path);
  struct stat status {};
  struct statfs system {};
  if (::stat(path.c_str(), &status) != 0 || ::statfs(path.c_str(), &system) != 0)
    return fail_errno(ErrorCode::kNotFound, "look at " + path.string(), "`ip netns list` names those of /run/netns");
  if (system.f_type == NSFS_MAGIC) return status.st_ino;
  return fail(ErrorCode::kNotFound, fmt::format("{} is no network namespace", path.string()),
              "what `ip netns add` made, or /proc/PID/ns/net");
}

// A process that may not be looked at (of another user namespace, for one) need not concern us: only if nobody else is found.
Result<std::vector<std::int32_t>> members_of(std::uint64_t netns, const fs::path& proc) {
  std::vector<std::int32_t> members;
  Result<> unreadable;
  for (const std::int32_t pid : all_pids(proc)) {
    const auto of_pid = netns_of(pid, proc);
    if (!of_pid && of_pid.error().code == ErrorCode::kPermission) unreadable = std::unexpected(of_pid.error());
    if (of_pid && *of_pid == netns) members.push_back(pid);
  }
  if (members.empty()) BROWNOUT_TRY(std::move(unreadable));
  return members;
}

fs::path common_parent(const std::set<fs::path>& directories) {
  fs::path common = *directories.begin();
  while (!std::ranges::all_of(directories, [&](const fs::path& one) { return is_at_or_below(one, common); }))
    common = common.parent_path();
  return common;
}

// Nobody lives there who is not in the namespace.
bool holds_only(const fs::path& directory, const std::vector<std::int32_t>& members) {
  return std::ranges::all_of(subtree(directory), [&](const fs::path& below) {
    return std::ranges::all_of(pids_in(below).value_or(std::vector<std::int32_t>{}),
                               [&](std::int32_t pid) { return std::ranges::binary_search(members, pid); });
  });
}

}  // namespace

Result<Target> resolve_netns(const drill::NetnsTarget& wanted, const Surroundings& surroundings) {
  const auto& proc = surroundings.proc;
  BROWNOUT_ASSIGN(const std::uint64_t netns, inode_of(wanted.path));
  BROWNOUT_ASSIGN(const std::int32_t self, own_pid(proc));
  BROWNOUT_ASSIGN(const std::uint64_t own_netns, netns_of(self, proc));
  if (netns == own_netns)
    return fail(ErrorCode::kRefused, fmt::format("{} is brownout's own network namespace", wanted.path.string()),
                "name the target by its container, its unit or its cgroup");
  BROWNOUT_ASSIGN(const auto members, members_of(netns, proc));
  if (members.empty())
    return fail(ErrorCode::kNotFound, fmt::format("no process lives in {}", wanted.path.string()),
                "start it, and put it under load, before the drill");
  BROWNOUT_ASSIGN(const Hierarchy hierarchy, read_hierarchy(proc));
  std::set<fs::path> directories;
  for (const std::int32_t pid : members)
    if (const auto directory = directory_of_pid(hierarchy, pid, proc)) directories.insert(*directory);
  if (directories.empty())
    return fail(ErrorCode::kNotFound, fmt::format("no process of {} is in a cgroup that is mounted here", wanted.path.string()));
  Target target{.name = wanted.path.string(), .runtime = "netns", .pid = members.front()};
  target.cgroup_path = common_parent(directories);
  if (!holds_only(target.cgroup_path, members)) {
    auto failure = fail(ErrorCode::kAmbiguous,
                        fmt::format("the processes in {} share no cgroup of their own", wanted.path.string()),
                        "give them one, or name one of these by `cgroup`");
    for (const auto& directory : directories) failure.error().context.push_back(directory.string());
    return failure;
  }
  BROWNOUT_TRY(fill_in(target, hierarchy, proc));
  return target;
}

}  // namespace brownout::target
