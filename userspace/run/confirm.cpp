// SPDX-License-Identifier: MIT
#include "confirm.hpp"

#include <chrono>
#include <iostream>
#include <set>
#include <string>
#include <thread>

#include <unistd.h>

#include <fmt/format.h>

#include "blast_radius.hpp"
#include "brownout/tell.hpp"
#include "brownout/text.hpp"

namespace brownout::run {
namespace {

constexpr std::chrono::seconds kLookFor{1};

// What passes the veth now, both ways; 0 when that cannot be read.
double packets_per_second(const kernel::Interface& interface) {
  const auto packets = [&interface] {
    const auto device = kernel::device_counters(0, interface.host_name);
    return device ? device->rx_packets + device->tx_packets : 0;
  };
  const std::uint64_t before = packets();
  std::this_thread::sleep_for(kLookFor);
  const std::uint64_t after = packets();
  return after > before ? static_cast<double>(after - before) / std::chrono::duration<double>(kLookFor).count() : 0;
}

std::string limits_text(const nlohmann::json& limits) {
  std::string text = fmt::format("{} packets", limits.at("limit_packets").get<std::uint64_t>());
  if (limits.contains("limit_bytes"))
    text += fmt::format(", {} MiB", limits.at("limit_bytes").get<std::uint64_t>() >> 20);
  if (limits.contains("horizon_us"))
    text += fmt::format(", for {}; sized again by the baseline's packets",
                        format_duration(std::chrono::microseconds{limits.at("horizon_us").get<std::int64_t>()}));
  return text;
}

void show(const plan::Plan& plan, const target::Target& target, const kernel::Interface& interface,
          const kernel::Means& means) {
  const auto processes = target::processes(target).value_or(std::vector<target::Process>{});
  tell(fmt::format("target {} ({}), pid {}, {} processes, cgroup {}\n", target.name, target.runtime, target.pid,
                   processes.size(), target.cgroup_path.string()));
  tell(fmt::format("on {} (the container's {})\n", interface.host_name, interface.container_name));
  for (const auto& fault : plan.faults)
    tell(fmt::format("fault {}: {} for {}\n", fault.index + 1, fault.label, format_duration(plan.drill.phases.inject)));
  tell(fmt::format("hooks: {} ({})\n", kernel::name(means.hook), means.hook_reason));
  if (means.backend) tell(fmt::format("delay by {} ({})\n", drill::backend_name(*means.backend), means.backend_reason));
  if (plan.drill.trace_waits)
    tell("waits are traced: every system call on this host passes two small programs meanwhile\n");
  show_connections(plan, target);
  const double rate = packets_per_second(interface);
  tell(fmt::format("passes now: {:.0f} packets/s\n", rate));
  if (const auto limits = kernel::queue_limits(means, plan, rate); !limits.is_null())
    tell(fmt::format("holds in each direction at most {}\n", limits_text(limits)));
  std::set<std::string> neighbours;
  for (const auto& process : target::netns_neighbours(target)) neighbours.insert(process.cgroup.string());
  for (const auto& cgroup : neighbours)
    tell(fmt::format("shares the network namespace and will be hit too: {}\n", visible(cgroup)));
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
  tell("Go on? [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "yes") return {};
  return fail(ErrorCode::kRefused, "not confirmed; nothing was attached");
}

}  // namespace brownout::run
