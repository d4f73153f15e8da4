// SPDX-License-Identifier: MIT
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/text.hpp"
#include "preview.hpp"

namespace brownout::run {
namespace {

using kernel::ObjectKind;

std::string limits_text(const nlohmann::json& limits) {
  std::string text = fmt::format("{} packets", limits.at("limit_packets").get<std::uint64_t>());
  if (limits.contains("limit_bytes"))
    text += fmt::format(", {} MiB", limits.at("limit_bytes").get<std::uint64_t>() >> 20);
  if (limits.contains("horizon_us"))
    text += fmt::format(", for {}; sized again by the baseline's packets",
                        format_duration(std::chrono::microseconds{limits.at("horizon_us").get<std::int64_t>()}));
  return text;
}

std::string target_text(const Intent& intent) {
  const auto& [target, interface] = intent.aim;
  auto text = fmt::format("target {} ({}), pid {}, {} processes, cgroup {}\n", target.name, target.runtime, target.pid,
                          intent.reach.processes, target.cgroup_path.string());
  return text + fmt::format("on {} (the container's {})\n", interface.host_name, interface.container_name);
}

std::string faults_text(const Intent& intent) {
  std::string text;
  for (const auto& fault : intent.plan.faults)
    text += fmt::format("fault {}: {} for {}\n", fault.index + 1, fault.label, format_duration(intent.plan.drill.phases.inject));
  text += fmt::format("hooks: {} ({})\n", kernel::name(intent.means.hook), intent.means.hook_reason);
  if (intent.means.backend)
    text += fmt::format("delay by {} ({})\n", drill::backend_name(*intent.means.backend), intent.means.backend_reason);
  if (intent.plan.drill.trace_waits)
    text += "waits are traced: every system call on this host passes two small programs meanwhile\n";
  return text;
}

std::string connections_text(const Reach& reach) {
  std::string text;
  for (const auto& connection : reach.operators)
    text += fmt::format("you are here by {} ({})\n", shown(connection.flow), connection.found_by);
  text += fmt::format("open TCP connections that match: {}{}\n", reach.whole ? "" : "at least ", reach.matching);
  for (const auto& [flow, held_by] : reach.connections)
    text += fmt::format("  {}{}\n", shown(flow), held_by.empty() ? std::string{} : fmt::format(" ({})", visible(held_by)));
  if (reach.matching > reach.connections.size())
    text += fmt::format("  and {} more\n", reach.matching - reach.connections.size());
  return text;
}

std::string condition_text(const drill::KernelCounterLimit& limit) {
  return fmt::format("{} grows by more than {}", limit.name, limit.max_increase);
}
std::string condition_text(const drill::ErrorCountLimit& limit) {
  return fmt::format("the app's error count grows by more than {}", limit.max_increase);
}
std::string condition_text(const drill::NoCompletedCall& silence) {
  return fmt::format("no call is completed for {}", format_duration(silence.time));
}

// What ends a fault that goes on or too far.
std::string bounds_text(const plan::Plan& plan) {
  std::string text = fmt::format("faults end by themselves {} after they begin, at the latest\n",
                                 format_duration(std::chrono::nanoseconds{plan.max_duration_ns}));
  const auto& caps = plan.drill.caps;
  for (const auto& [name, most] : {std::pair{"packets", caps.max_packets}, std::pair{"bytes", caps.max_bytes},
                                   std::pair{"connections", caps.max_connections}})
    if (most != 0) text += fmt::format("cap: {} {}\n", most, name);
  for (const auto& condition : plan.drill.abort_when)
    text += fmt::format("aborts when {}\n", std::visit([](const auto& what) { return condition_text(what); }, condition.what));
  if (plan.drill.app && !plan.drill.app->stop_file.empty())
    text += fmt::format("stop file: {}\n", visible(plan.drill.app->stop_file.string()));
  return text;
}

std::string bytes_text(std::uint64_t bytes) {
  return bytes >= 10 << 20 ? fmt::format("{} MiB", bytes >> 20) : fmt::format("{} KiB", (bytes + 1023) >> 10);
}

std::string objects_text(const std::vector<kernel::PlannedObject>& objects) {
  std::map<ObjectKind, std::size_t> counts;
  std::uint64_t bytes = 0;
  for (const auto& object : objects) {
    ++counts[object.kind];
    bytes += object.bytes;
  }
  std::vector<std::string> totals;
  for (const auto& [kind, count] : counts) totals.push_back(fmt::format("{} {}{}", count, kernel::name(kind), count == 1 ? "" : "s"));
  auto text = fmt::format("makes in the kernel, and takes away again: {} ({})\n", fmt::join(totals, ", "), bytes_text(bytes));
  for (const auto& object : objects)
    text += fmt::format("  {:7} {:24} {}{}\n", kernel::name(object.kind), object.name, object.detail,
                        object.only_if.empty() ? std::string{} : fmt::format(", if {}", object.only_if));
  return text;
}

std::string cost_text(const kernel::PacketCost& cost, double packets_per_second) {
  auto text = fmt::format("costs about {:.0f} ns a packet that is hit", cost.hit_ns);
  if (cost.missed_ns) text += fmt::format(", {:.0f} ns one that is not", *cost.missed_ns);
  return text + fmt::format(": {:.3f} % of a CPU now (the injector's programs, run here on packets of our own)\n",
                            100 * share_of_cpu(cost, packets_per_second));
}

}  // namespace

std::string describe(const Intent& intent) {
  auto text = target_text(intent) + faults_text(intent) + connections_text(intent.reach);
  text += fmt::format("passes now: {:.0f} packets/s\n", intent.reach.packets_per_second);
  if (const auto limits = kernel::queue_limits(intent.means, intent.plan, intent.reach.packets_per_second); !limits.is_null())
    text += fmt::format("holds in each direction at most {}\n", limits_text(limits));
  for (const auto& cgroup : intent.reach.neighbours)
    text += fmt::format("shares the network namespace and will be hit too: {}\n", visible(cgroup));
  return text;
}

nlohmann::json to_json(const Intent& intent) {
  const auto& [target, interface] = intent.aim;
  return {{"plan", plan::to_json(intent.plan)},
          {"target", target::to_json(target)},
          {"interface", {{"host", interface.host_name}, {"host_ifindex", interface.host_ifindex}, {"container", interface.container_name}}},
          {"means", kernel::to_json(intent.means)},
          {"queue_limits", kernel::queue_limits(intent.means, intent.plan, intent.reach.packets_per_second)},
          {"reach", to_json(intent.reach)}};
}

std::string describe(const kernel::Rehearsal& rehearsal, const Intent& intent) {
  auto text = bounds_text(intent.plan) + objects_text(rehearsal.objects);
  const auto& device = intent.aim.interface.host_name;
  text += fmt::format("qdiscs of {} now: {}\n", device, rehearsal.qdiscs.empty() ? "none" : fmt::format("{}", fmt::join(rehearsal.qdiscs, ", ")));
  for (const auto& program : rehearsal.other_programs) text += fmt::format("on {} already: {}\n", device, visible(program));
  if (rehearsal.cost) text += cost_text(*rehearsal.cost, intent.reach.packets_per_second);
  for (const auto& what : rehearsal.not_observed) text += fmt::format("cannot be observed here: {}\n", what);
  return text;
}

nlohmann::json to_json(const kernel::Rehearsal& rehearsal, const Intent& intent) {
  auto objects = nlohmann::json::array();
  std::uint64_t bytes = 0;
  for (const auto& object : rehearsal.objects) {
    bytes += object.bytes;
    objects.push_back({{"kind", kernel::name(object.kind)},
                       {"name", object.name},
                       {"detail", object.detail},
                       {"bytes", object.bytes},
                       {"only_if", object.only_if.empty() ? nlohmann::json() : nlohmann::json(object.only_if)}});
  }
  nlohmann::json json{{"objects", std::move(objects)},
                      {"bytes", bytes},
                      {"qdiscs", rehearsal.qdiscs},
                      {"other_programs", rehearsal.other_programs},
                      {"not_observed", rehearsal.not_observed},
                      {"cost", nullptr}};
  if (const auto& cost = rehearsal.cost)
    json["cost"] = {{"hit_ns", cost->hit_ns},
                    {"missed_ns", cost->missed_ns ? nlohmann::json(*cost->missed_ns) : nlohmann::json()},
                    {"share_of_cpu", share_of_cpu(*cost, intent.reach.packets_per_second)}};
  return json;
}

}  // namespace brownout::run
