// SPDX-License-Identifier: MIT
// Is the target still what it was when it was resolved?
#include <ranges>
#include <string_view>

#include <sys/stat.h>

#include <fmt/format.h>

#include "brownout/fd.hpp"
#include "brownout/target.hpp"
#include "hierarchy.hpp"
#include "mounts.hpp"
#include "proc.hpp"

namespace brownout::target {
namespace {

namespace fs = std::filesystem;

// A line of cgroup.events, which the kernel writes as "populated 1" and "frozen 0" (frozen since 5.2).
bool has_line(std::string_view text, std::string_view line) {
  return text.starts_with(fmt::format("{}\n", line)) || text.contains(fmt::format("\n{}\n", line));
}

bool lists(std::string_view options, std::string_view wanted) {
  for (const auto option : std::views::split(options, ','))
    if (std::string_view{option} == wanted) return true;
  return false;
}

// The path in the line "6:freezer:/docker/0123" of /proc/PID/cgroup.
std::optional<std::string> freezer_path(std::string_view cgroups) {
  for (const auto part : std::views::split(cgroups, '\n')) {
    const std::string_view line{part};
    const auto first = line.find(':');
    const auto second = line.find(':', first == line.npos ? first : first + 1);
    if (second != line.npos && lists(line.substr(first + 1, second - first - 1), "freezer"))
      return std::string{line.substr(second + 1)};
  }
  return std::nullopt;
}

// Beside cgroup v2, runtimes pause containers by the freezer of v1, of which v2 knows nothing.
bool frozen_by_v1(const Target& target, const fs::path& proc) {
  const auto cgroups = read_file(proc / std::to_string(target.pid) / "cgroup");
  const auto mountinfo = read_file(proc / "self/mountinfo");
  if (!cgroups || !mountinfo) return false;
  const auto path = freezer_path(*cgroups);
  if (!path) return false;
  for (const auto& mount : visible_mounts(*mountinfo)) {
    if (mount.type != "cgroup" || !lists(mount.options, "freezer")) continue;
    const auto state = read_file(mount.point / fs::path{*path}.lexically_relative(mount.root) / "freezer.state");
    if (state && !state->starts_with("THAWED")) return true;
  }
  return false;
}

std::optional<std::string> change_of_process(const Target& target, const fs::path& proc) {
  const auto ended = [&target] { return fmt::format("process {} has ended", target.pid); };
  const auto hierarchy = read_hierarchy(proc);
  const auto netns = netns_of(target.pid, proc);
  // It is there, only we may not look: without CAP_SYS_PTRACE nobody sees into another user's process.
  const bool hidden = !netns && netns.error().code == ErrorCode::kPermission;
  if (!hierarchy || (!netns && !hidden)) return ended();
  const auto cgroup = directory_of_pid(*hierarchy, target.pid, proc);
  if (!cgroup) return ended();
  if (!is_at_or_below(*cgroup, target.cgroup_path))
    return fmt::format("process {} has moved to cgroup {}", target.pid, cgroup->string());
  if (netns && *netns != target.netns_inode)
    return fmt::format("process {} has moved to network namespace {}", target.pid, *netns);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> change_of(const Target& target, const fs::path& proc) {
  // A drill that names a cgroup is about whichever processes are in it.
  if (target.runtime != "cgroup")
    if (auto change = change_of_process(target, proc)) return change;
  struct stat status {};
  if (::stat(target.cgroup_path.c_str(), &status) != 0 || status.st_ino != target.cgroup_id)
    return fmt::format("its cgroup {} is gone", target.cgroup_path.string());
  const auto events = read_file(target.cgroup_path / "cgroup.events").value_or("");
  if (has_line(events, "populated 0")) return fmt::format("no process is left in {}", target.cgroup_path.string());
  if (has_line(events, "frozen 1") || frozen_by_v1(target, proc))
    return fmt::format("its cgroup {} is frozen: paused, or being checkpointed", target.cgroup_path.string());
  return std::nullopt;
}

}  // namespace brownout::target
