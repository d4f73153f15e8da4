// SPDX-License-Identifier: MIT
#include "reach.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>

#include <fmt/format.h>

#include "brownout/events.hpp"

namespace brownout::run {
namespace {

constexpr std::size_t kShown = 10;
constexpr std::chrono::seconds kLookFor{1};

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

bool is_hit(const plan::Plan& plan, const brownout_flow_key& flow) {
  return std::ranges::any_of(plan.faults, [&](const auto& fault) { return plan::hits(plan, fault, flow); });
}

void add_connections(const plan::Plan& plan, const target::Target& target, const std::vector<target::Process>& processes,
                     Reach& reach) {
  const auto connections = target::connections_of(target.pid);
  reach.whole = connections.whole;
  std::vector<target::Connection> first;
  std::set<std::uint64_t> inodes;
  for (const auto& connection : connections.open) {
    if (!is_hit(plan, connection.flow) || ++reach.matching > kShown) continue;
    first.push_back(connection);
    inodes.insert(connection.inode);
  }
  std::vector<std::int32_t> pids;
  for (const auto& process : processes) pids.push_back(process.pid);
  const auto holders = target::holders_of(inodes, pids);
  for (const auto& connection : first) {
    const auto holder = holders.find(connection.inode);
    reach.connections.push_back(
        {connection.flow,
         holder == holders.end() ? std::string{} : fmt::format("{}, pid {}", holder->second.comm, holder->second.pid)});
  }
}

}  // namespace

std::string shown(const brownout_flow_key& flow) {
  return fmt::format("{} to {}", events::endpoint(flow.local_address, flow.local_port),
                     events::endpoint(flow.peer_address, flow.peer_port));
}

Reach reach_of(const plan::Plan& plan, const Aim& aim) {
  Reach reach;
  const auto processes = target::processes(aim.target).value_or(std::vector<target::Process>{});
  reach.processes = processes.size();
  reach.operators = target::operator_connections();
  add_connections(plan, aim.target, processes, reach);
  reach.packets_per_second = packets_per_second(aim.interface);
  for (const auto& process : target::netns_neighbours(aim.target)) reach.neighbours.insert(process.cgroup.string());
  return reach;
}

nlohmann::json to_json(const Reach& reach) {
  auto connections = nlohmann::json::array();
  for (const auto& [flow, held_by] : reach.connections)
    connections.push_back({{"local", events::endpoint(flow.local_address, flow.local_port)},
                           {"peer", events::endpoint(flow.peer_address, flow.peer_port)},
                           {"held_by", held_by.empty() ? nlohmann::json() : nlohmann::json(held_by)}});
  auto operators = nlohmann::json::array();
  for (const auto& connection : reach.operators)
    operators.push_back({{"connection", shown(connection.flow)}, {"found_by", connection.found_by}});
  return {{"processes", reach.processes},
          {"operator_connections", std::move(operators)},
          {"matching_connections", {{"count", reach.matching}, {"whole", reach.whole}, {"first", std::move(connections)}}},
          {"packets_per_second", reach.packets_per_second},
          {"shares_network_namespace", reach.neighbours}};
}

}  // namespace brownout::run
