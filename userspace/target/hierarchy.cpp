// SPDX-License-Identifier: MIT
#include "hierarchy.hpp"

#include <algorithm>
#include <sstream>
#include <system_error>

#include <fmt/format.h>

#include "brownout/fd.hpp"
#include "brownout/target.hpp"
#include "cgroup_tree.hpp"
#include "mounts.hpp"
#include "proc.hpp"

namespace brownout::target {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kInitialCgroupNamespace = 0xeffffffb; // PROC_CGROUP_INIT_INO: the same on every kernel
constexpr std::int32_t kKthreadd = 2;

// Names count one down, ".." one up: "/../a" is at the level of "/".
int relative_level(const fs::path& path) {
  int level = 0;
  for (const auto& part : path.relative_path()) {
    if (part.empty() || part == ".") continue;
    level += part == ".." ? -1 : 1;
  }
  return level;
}

// How deep the root of our cgroup namespace lies. kthreadd never leaves the root of the hierarchy, so the number of
// ".." on the way to it tells.
Result<int> namespace_level(const fs::path& proc) {
  const auto own = namespace_inode(proc / "self/ns/cgroup");
  if (!own && own.error().code != ErrorCode::kNotFound) return std::unexpected(own.error());
  if (!own || *own == kInitialCgroupNamespace) return 0;
  if (comm_of(kKthreadd, proc) == "kthreadd") {
    BROWNOUT_ASSIGN(const fs::path root, cgroup_of_pid(kKthreadd, proc));
    return -relative_level(root);
  }
  return fail(ErrorCode::kUnsupported, "brownout runs in a cgroup namespace and cannot tell how deep it lies",
              "run it on the host, or with the host's pid or cgroup namespace");
}

Result<Mount> cgroup2_mount_line(const fs::path& proc) {
  BROWNOUT_ASSIGN(const std::string mountinfo, read_file(proc / "self/mountinfo"));
  auto mounts = visible_mounts(mountinfo);
  std::erase_if(mounts, [](const Mount& mount) { return mount.type != "cgroup2"; });
  if (mounts.empty())
    return fail(ErrorCode::kUnsupported, "no cgroup2 file system is mounted",
                "mount one, for example: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
  const auto whole = std::ranges::find(mounts, "/", &Mount::root);
  return whole != mounts.end() ? *whole : mounts.front();
}

}  // namespace

Result<fs::path> cgroup2_mount(const fs::path& proc) {
  BROWNOUT_ASSIGN(const Mount mount, cgroup2_mount_line(proc));
  return mount.point;
}

Result<fs::path> cgroup_of_pid(std::int32_t pid, const fs::path& proc) {
  const fs::path file = proc / std::to_string(pid) / "cgroup";
  BROWNOUT_ASSIGN(const std::string content, read_file(file));
  std::istringstream lines{content};
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("0::/")) return fs::path{line.substr(3)};
  return fail(ErrorCode::kUnsupported,
              fmt::format("{} has no `0::` line: the process is in no v2 cgroup", file.string()),
              "brownout needs the cgroup v2 hierarchy, alone or beside v1");
}

Result<Hierarchy> read_hierarchy(const fs::path& proc) {
  BROWNOUT_ASSIGN(const Mount mount, cgroup2_mount_line(proc));
  BROWNOUT_ASSIGN(const int level, namespace_level(proc));
  return Hierarchy{mount.point, mount.root, level + relative_level(mount.root)};
}

std::optional<fs::path> directory_of(const Hierarchy& hierarchy, std::string_view path) {
  const fs::path wanted = fs::path{path}.relative_path();
  const fs::path root = fs::path{hierarchy.mount_root}.relative_path();
  const auto [in_root, in_wanted] = std::ranges::mismatch(root, wanted);
  if (in_root != root.end()) return std::nullopt;
  fs::path directory = hierarchy.mount;
  for (auto part = in_wanted; part != wanted.end(); ++part) {
    if (*part == "..") return std::nullopt;
    directory /= *part;
  }
  return directory;
}

Result<fs::path> directory_of_pid(const Hierarchy& hierarchy, std::int32_t pid, const fs::path& proc) {
  BROWNOUT_ASSIGN(const fs::path path, cgroup_of_pid(pid, proc));
  const auto direct = directory_of(hierarchy, path.native());
  if (direct && holds(*direct, pid)) return *direct;
  // From inside a cgroup namespace a path may begin with "/..", which says how far up but not what things are called.
  if (auto found = find_holding(hierarchy.mount, pid)) return *std::move(found);
  return fail(ErrorCode::kNotFound,
              fmt::format("pid {} is in cgroup {}, which cannot be reached through {}", pid, path.string(),
                          hierarchy.mount.string()),
              "it may have ended, be a thread and not a process, or belong to a part that is not mounted here");
}

int level_of(const Hierarchy& hierarchy, const fs::path& directory) {
  return hierarchy.mount_level + relative_level("/" / directory.lexically_relative(hierarchy.mount));
}

bool is_at_or_below(const fs::path& directory, const fs::path& ancestor) {
  return std::ranges::mismatch(ancestor, directory).in1 == ancestor.end();
}

}  // namespace brownout::target
