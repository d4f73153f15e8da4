// SPDX-License-Identifier: MIT
// One way for each way of naming a target; all of them end in fill_in.
#pragma once

#include <filesystem>

#include "brownout/target.hpp"
#include "hierarchy.hpp"

namespace brownout::target {

Result<Target> resolve_container(const drill::ContainerTarget& wanted, const Surroundings& surroundings);
Result<Target> resolve_pod(const drill::PodTarget& wanted, const Surroundings& surroundings);
Result<Target> resolve_unit(const drill::UnitTarget& wanted, const Surroundings& surroundings);
Result<Target> resolve_netns(const drill::NetnsTarget& wanted, const Surroundings& surroundings);
Result<Target> resolve_cgroup(const drill::CgroupTarget& wanted, const Surroundings& surroundings);
Result<Target> resolve_pid(const drill::PidTarget& wanted, const Surroundings& surroundings);

// A fault there would hit the host, or this very program and whoever started it.
Result<> refuse_too_wide(const Hierarchy& hierarchy, const Target& target, const std::filesystem::path& proc);
// Everything that follows from `cgroup_path` and `pid`.
Result<> fill_in(Target& target, const Hierarchy& hierarchy, const std::filesystem::path& proc);
// `cgroup_path` is given: the process, which stands for all in it, and the rest.
Result<> fill_in_from_cgroup(Target& target, const Hierarchy& hierarchy, const std::filesystem::path& proc);

}  // namespace brownout::target
