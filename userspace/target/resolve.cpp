// SPDX-License-Identifier: MIT
#include "resolve.hpp"

#include <cerrno>
#include <variant>

#include <sys/stat.h>

#include <fmt/format.h>

#include "proc.hpp"

namespace brownout::target {
namespace {
namespace fs = std::filesystem;
}

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

Result<Target> resolve(const drill::Target& wanted, const Surroundings& surroundings) {
  struct By {
    const Surroundings& where;
    Result<Target> operator()(const drill::ContainerTarget& named) const { return resolve_container(named, where); }
    Result<Target> operator()(const drill::PodTarget& named) const { return resolve_pod(named, where); }
    Result<Target> operator()(const drill::UnitTarget& named) const { return resolve_unit(named, where); }
    Result<Target> operator()(const drill::NetnsTarget& named) const { return resolve_netns(named, where); }
    Result<Target> operator()(const drill::CgroupTarget& named) const { return resolve_cgroup(named, where); }
    Result<Target> operator()(const drill::PidTarget& named) const { return resolve_pid(named, where); }
  };
  return std::visit(By{surroundings}, wanted);
}

}  // namespace brownout::target
