// SPDX-License-Identifier: MIT
#include "blast_radius.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "brownout/connections.hpp"
#include "brownout/tell.hpp"
#include "brownout/text.hpp"

namespace brownout::run {
namespace {

constexpr std::size_t kShown = 10;

const plan::PlannedFault* fault_on(const plan::Plan& plan, const brownout_flow_key& flow, plan::Peer peer) {
  const auto found = std::ranges::find_if(
      plan.faults, [&](const plan::PlannedFault& fault) { return plan::hits(plan, fault, flow, peer); });
  return found == plan.faults.end() ? nullptr : &*found;
}

std::string shown(const brownout_flow_key& flow) {
  return fmt::format("{} to {}", events::endpoint(flow.local_address, flow.local_port),
                     events::endpoint(flow.peer_address, flow.peer_port));
}

// A container may be the way to the operator: a jump host, a VPN.
bool leads_to_target(const target::Address& address, const std::set<target::Address>& of_target,
                     const kernel::Interface& interface) {
  if (of_target.contains(address)) return true;
  const auto route = kernel::route_to(address);
  return route && (route->ifindex == interface.host_ifindex || (route->gateway && of_target.contains(*route->gateway)));
}

// The connection as it passes the veth, seen from the container; nothing when it does not.
std::optional<brownout_flow_key> on_veth(const target::OperatorConnection& connection, const target::Target& target,
                                         const kernel::Interface& interface) {
  const auto of_target = target::addresses_of(target.pid);
  const auto peer = target::peer_of(connection.flow);
  if (connection.netns_inode == target.netns_inode || of_target.contains(target::local_of(connection.flow)))
    return of_target.contains(peer) ? std::nullopt : std::optional{connection.flow};
  if (leads_to_target(peer, of_target, interface)) return target::turned(connection.flow);
  return std::nullopt;
}

std::unexpected<Error> refusal(const std::filesystem::path& file, const plan::PlannedFault& fault,
                               const std::string& what, drill::Allowed word) {
  return fail(ErrorCode::kRefused,
              fmt::format("{}:{}: fault {} ({}) would hit {}", file.string(), fault.drill_line, fault.index + 1,
                          fault.label, what),
              fmt::format("Nothing was attached. Narrow its `match`, or add `allow: [{}]` to the drill.",
                          drill::allowed_name(word)));
}

Result<> refuse_operator(const std::filesystem::path& file, const plan::Plan& plan, const target::Target& target,
                         const kernel::Interface& interface) {
  for (const auto& connection : target::operator_connections()) {
    const auto flow = on_veth(connection, target, interface);
    if (!flow) continue;
    const auto peer = connection.peer_is_known ? plan::Peer::kGiven : plan::Peer::kAnybody;
    if (const auto* fault = fault_on(plan, *flow, peer))
      return refusal(file, *fault,
                     fmt::format("the connection by which you are here: {} ({})", shown(connection.flow),
                                 connection.found_by),
                     drill::Allowed::kOperatorSsh);
  }
  return {};
}

Result<> refuse_runtime(const std::filesystem::path& file, const plan::Plan& plan, const target::Target& target) {
  for (const auto& [flow, holder] : target::runtime_connections(target))
    if (const auto* fault = fault_on(plan, flow, plan::Peer::kGiven))
      return refusal(file, *fault,
                     fmt::format("a connection of the container runtime to '{}': {} ({}, pid {})", target.name,
                                 shown(target::turned(flow)), holder.comm, holder.pid),
                     drill::Allowed::kRuntimeSockets);
  return {};
}

}  // namespace

Result<> refuse_bystanders(const std::filesystem::path& file, const plan::Plan& plan, const target::Target& target,
                           const kernel::Interface& interface) {
  if (!plan.drill.allow.contains(drill::Allowed::kOperatorSsh))
    BROWNOUT_TRY(refuse_operator(file, plan, target, interface));
  if (!plan.drill.allow.contains(drill::Allowed::kRuntimeSockets)) BROWNOUT_TRY(refuse_runtime(file, plan, target));
  return {};
}

void show_connections(const plan::Plan& plan, const target::Target& target) {
  for (const auto& connection : target::operator_connections())
    tell(fmt::format("you are here by {} ({})\n", shown(connection.flow), connection.found_by));
  const auto connections = target::connections_of(target.pid);
  std::vector<target::Connection> first;
  std::set<std::uint64_t> inodes;
  std::size_t matching = 0;
  for (const auto& connection : connections.open) {
    if (fault_on(plan, connection.flow, plan::Peer::kGiven) == nullptr || ++matching > kShown) continue;
    first.push_back(connection);
    inodes.insert(connection.inode);
  }
  tell(fmt::format("open TCP connections that match: {}{}\n", connections.whole ? "" : "at least ", matching));
  std::vector<std::int32_t> pids;
  for (const auto& process : target::processes(target).value_or(std::vector<target::Process>{}))
    pids.push_back(process.pid);
  const auto holders = target::holders_of(inodes, pids);
  for (const auto& connection : first) {
    const auto holder = holders.find(connection.inode);
    const auto by = holder == holders.end()
                        ? std::string{}
                        : fmt::format(" ({}, pid {})", visible(holder->second.comm), holder->second.pid);
    tell(fmt::format("  {}{}\n", shown(connection.flow), by));
  }
  if (matching > first.size()) tell(fmt::format("  and {} more\n", matching - first.size()));
}

}  // namespace brownout::run
