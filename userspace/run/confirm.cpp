// SPDX-License-Identifier: MIT
#include "confirm.hpp"

#include <iostream>
#include <set>
#include <string>

#include <unistd.h>

#include <fmt/format.h>

#include "brownout/text.hpp"

namespace brownout::run {
namespace {

void show(const plan::Plan& plan, const target::Target& target, const kernel::Interface& interface,
          const kernel::Means& means) {
  const auto processes = target::processes(target).value_or(std::vector<target::Process>{});
  fmt::print(stderr, "target {} ({}), pid {}, {} processes, cgroup {}\n", target.name, target.runtime, target.pid,
             processes.size(), target.cgroup_path.string());
  fmt::print(stderr, "on {} (the container's {})\n", interface.host_name, interface.container_name);
  for (const auto& fault : plan.faults)
    fmt::print(stderr, "fault {}: {} for {}\n", fault.index + 1, fault.label, format_duration(plan.drill.phases.inject));
  fmt::print(stderr, "hooks: {} ({})\n", kernel::name(means.hook), means.hook_reason);
  if (means.backend)
    fmt::print(stderr, "delay by {} ({})\n", drill::backend_name(*means.backend), means.backend_reason);
  std::set<std::string> neighbours;
  for (const auto& process : target::netns_neighbours(target)) neighbours.insert(process.cgroup.string());
  for (const auto& cgroup : neighbours)
    fmt::print(stderr, "shares the network namespace and will be hit too: {}\n", cgroup);
}

}  // namespace

Result<> confirm(const Options& options, const plan::Plan& plan, const target::Target& target,
                 const kernel::Interface& interface, const kernel::Means& means) {
  const bool can_ask = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
  if (!options.yes && !can_ask)
    return fail(ErrorCode::kUsage, "there is no terminal to confirm on, and --yes was not given",
                "Add --yes when you are sure of target and faults.");
  show(plan, target, interface, means);
  if (options.yes) return {};
  fmt::print(stderr, "Go on? [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "yes") return {};
  return fail(ErrorCode::kRefused, "not confirmed; nothing was attached");
}

}  // namespace brownout::run
