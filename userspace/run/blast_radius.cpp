// SPDX-License-Identifier: MIT
#include "blast_radius.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "brownout/connections.hpp"
#include "reach.hpp"

namespace brownout::run {
namespace {

const plan::PlannedFault* fault_on(const plan::Plan& plan, const brownout_flow_key& flow, plan::Peer peer) {
  const auto found = std::ranges::find_if(
      plan.faults, [&](const plan::PlannedFault& fault) { return plan::hits(plan, fault, flow, peer); });
  return found == plan.faults.end() ? nullptr : &*found;
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

Result<> refuse_bystanders(const std::filesystem::path& file, const plan::Plan& plan, const Aim& aim) {
  if (!plan.drill.allow.contains(drill::Allowed::kOperatorSsh))
    BROWNOUT_TRY(refuse_operator(file, plan, aim.target, aim.interface));
  if (!plan.drill.allow.contains(drill::Allowed::kRuntimeSockets)) BROWNOUT_TRY(refuse_runtime(file, plan, aim.target));
  return {};
}

}  // namespace brownout::run
