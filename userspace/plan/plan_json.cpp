// SPDX-License-Identifier: MIT
// The plan as evidence: every decision that compile() made, with units in the key names. 64-bit values that JSON
// readers would round are decimal strings.
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "brownout/plan.hpp"
#include "tables.hpp"

namespace brownout::plan {
namespace {

using nlohmann::json;

template <typename T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

std::string hex(const __u8 (&bytes)[16]) {
  std::string text;
  for (const __u8 byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

std::string_view direction_name(int direction) { return direction == BROWNOUT_EGRESS ? "egress" : "ingress"; }

std::string_view kind_name(__u32 kind) {
  switch (kind) {
    case BROWNOUT_FAULT_LATENCY: return "latency";
    case BROWNOUT_FAULT_LOSS: return "loss";
    case BROWNOUT_FAULT_BLACKHOLE: return "blackhole";
    default: return "unknown";
  }
}

json match_json(const drill::Match& match, const brownout_match& abi) {
  json written{{"all", match.all},
               {"cidr", or_null(match.cidr)},
               {"family", abi.family},
               {"has_ports", abi.has_ports != 0},
               {"local_port_high", abi.local_port_high},
               {"local_port_low", abi.local_port_low},
               {"peer_address_hex", hex(abi.peer_address)},
               {"peer_mask_hex", hex(abi.peer_mask)},
               {"peer_port_high", abi.peer_port_high},
               {"peer_port_low", abi.peer_port_low},
               {"protocol_number", abi.protocol}};
  // Only where it is asked for: plans of before there were shares stay what they are.
  if (abi.share_threshold != 0)
    written.update({{"connections", match.connections}, {"share_threshold_of_2_32", abi.share_threshold}});
  return written;
}

// What a latency fault draws from; null for the others.
json jitter_json(const Plan& plan, const PlannedFault& fault, const drill::Fault& written) {
  const auto* latency = std::get_if<drill::Latency>(&written.what);
  if (latency == nullptr) return nullptr;
  return {{"distribution", distribution_name(latency->distribution)},
          {"table", fault.abi.distribution == 0 ? json(nullptr) : json(plan.tables[fault.abi.distribution - 1].name)},
          {"correlation", latency->correlation},
          {"reuse_threshold_of_2_32", fault.abi.reuse_threshold},
          {"reorder", latency->reorder}};
}

json tables_json(const Plan& plan) {
  json tables = json::array();
  for (const auto& table : plan.tables)
    tables.push_back({{"name", table.name},
                      {"size", table.values.size()},
                      {"values_sha256", table.sha256},
                      {"file_sha256", table.file_sha256.empty() ? json(nullptr) : json(table.file_sha256)}});
  return tables;
}

json bursts_json(const PlannedFault& fault, const drill::Bursts& bursts) {
  return {{"enter", bursts.enter},
          {"leave", bursts.leave},
          {"lost_inside", bursts.lost_inside},
          {"lost_between", bursts.lost_between},
          {"enter_threshold_of_2_32", fault.abi.burst_enter},
          {"leave_threshold_of_2_32", fault.abi.burst_leave},
          {"drop_between_threshold_of_2_32", fault.abi.drop_between},
          {"spread", fault.spread}};
}

json fault_json(const Plan& plan, const PlannedFault& fault, const drill::Fault& written) {
  json directions = json::array();
  for (const int direction : fault.directions) directions.push_back(direction_name(direction));
  json planned{{"index", fault.index},
               {"label", fault.label},
               {"kind", kind_name(fault.abi.kind)},
               {"directions", std::move(directions)},
               {"rate", fault.rate},
               {"delay_ns", fault.abi.delay_ns},
               {"jitter_ns", fault.abi.jitter_ns},
               {"jitter", jitter_json(plan, fault, written)},
               {"drop_threshold_of_2_32", fault.abi.drop_threshold},
               {"drill_line", fault.drill_line},
               {"match", match_json(written.match, fault.abi.match)}};
  // As in match_json(): only where it is asked for.
  const auto* loss = std::get_if<drill::Loss>(&written.what);
  if (loss != nullptr && loss->bursts) planned["bursts"] = bursts_json(fault, *loss->bursts);
  return planned;
}

struct TargetJson {
  json operator()(const drill::ContainerTarget& container) const {
    json target{{"runtime", container.runtime}, {"root", container.root}};
    if (container.labels.empty()) target["container"] = container.name;
    else target["labels"] = container.labels;
    if (!container.containerd_namespace.empty()) target["namespace"] = container.containerd_namespace;
    return target;
  }
  json operator()(const drill::PodTarget& pod) const {
    return {{"pod", fmt::format("{}/{}/{}", pod.name_space, pod.pod, pod.container)}};
  }
  json operator()(const drill::UnitTarget& unit) const { return {{"unit", unit.name}}; }
  json operator()(const drill::NetnsTarget& netns) const { return {{"netns", netns.path.string()}}; }
  json operator()(const drill::CgroupTarget& cgroup) const { return {{"cgroup", cgroup.path.string()}}; }
  json operator()(const drill::PidTarget& process) const { return {{"pid", process.pid}}; }
};

json app_json(const drill::App& app) {
  return {{"run_dir", app.run_dir},         {"run_dir_in_container", app.run_dir_in_container},
          {"fingerprint", app.fingerprint}, {"manifest", app.manifest},
          {"required", app.required},       {"require", json(app.require)},
          {"process_comm", app.process.comm}, {"stop_file", app.stop_file.string()},
          {"retries", app.retries},
          {"git_commit", app.git_commit.empty() ? json(nullptr) : json(app.git_commit)}};
}

json gate_json(const drill::ErrorCountGate& gate) {
  return {{"kind", "error_count"},
          {"min_increase", or_null(gate.min_increase)},
          {"max_increase", or_null(gate.max_increase)}};
}
json gate_json(const drill::ErrorEventsGate& gate) {
  return {{"kind", "error_events"}, {"types", gate.types}, {"min", gate.min}};
}
json gate_json(const drill::LatencyGate& gate) {
  return {{"kind", "latency"},
          {"field", gate.field},
          {"min_increase_ms", or_null(gate.min_increase_ms)},
          {"max_increase_ms", or_null(gate.max_increase_ms)}};
}
json gate_json(const drill::CounterGate& gate) {
  return {{"kind", "counter"},
          {"pointer", gate.pointer},
          {"min_increase", or_null(gate.min_increase)},
          {"max_increase", or_null(gate.max_increase)}};
}

json phases_json(const drill::Phases& phases) {
  return {{"baseline_ns", phases.baseline.count()},
          {"inject_ns", phases.inject.count()},
          {"recovery_ns", phases.recovery.count()},
          {"settle_ns", phases.settle ? json(phases.settle->count()) : json(nullptr)}};
}

json pressure_json(const drill::Drill& drill) {
  return {{"required", drill.pressure_required},
          {"min_calls", drill.pressure.min_calls},
          {"within_ns", drill.pressure.within.count()},
          {"timeout_ns", drill.pressure.timeout.count()}};
}

json caps_json(const drill::Caps& caps) {
  const auto or_none = [](std::uint64_t cap) { return cap == 0 ? json(nullptr) : json(cap); };
  return {{"max_duration_ns", or_none(static_cast<std::uint64_t>(caps.max_duration.count()))},
          {"max_packets", or_none(caps.max_packets)},
          {"max_bytes", or_none(caps.max_bytes)},
          {"max_connections", or_none(caps.max_connections)}};
}

json condition_json(const drill::KernelCounterLimit& limit) {
  return {{"kind", "kernel_counter"}, {"name", limit.name}, {"max_increase", limit.max_increase}};
}
json condition_json(const drill::ErrorCountLimit& limit) {
  return {{"kind", "error_count"}, {"max_increase", limit.max_increase}};
}
json condition_json(const drill::NoCompletedCall& silence) {
  return {{"kind", "no_completed_call"}, {"time_ns", silence.time.count()}};
}

json conditions_json(const drill::Drill& drill) {
  json conditions = json::array();
  for (const auto& condition : drill.abort_when) {
    json one = std::visit([](const auto& what) { return condition_json(what); }, condition.what);
    one["drill_line"] = condition.line;
    conditions.push_back(std::move(one));
  }
  return conditions;
}

json allow_json(const drill::Drill& drill) {
  json words = json::array();
  for (const auto allowed : drill.allow) words.push_back(drill::allowed_name(allowed));
  return words;
}

json texts(const std::vector<std::filesystem::path>& paths) {
  json list = json::array();
  for (const auto& path : paths) list.push_back(path.string());
  return list;
}

json gates_json(const Plan& plan) {
  json gates = json::array();
  for (const auto& gate : plan.gates) {
    json one = std::visit([](const auto& what) { return gate_json(what); }, gate.what);
    one["drill_line"] = gate.line; // 0: the default gate
    gates.push_back(std::move(one));
  }
  return gates;
}

}  // namespace

json to_json(const Plan& plan) {
  const drill::Drill& drill = plan.drill;
  const ExpectedDelay expected = expected_round_trip(plan);
  json faults = json::array();
  for (const auto& fault : plan.faults) faults.push_back(fault_json(plan, fault, drill.faults[fault.index]));
  json described = {{"name", drill.name},
                    {"target", std::visit(TargetJson{}, drill.target)},
                    {"app", drill.app ? app_json(*drill.app) : json(nullptr)},
                    {"scope", drill.app ? "kernel_and_app" : "kernel_only"},
                    {"pressure", pressure_json(drill)},
                    {"phases", phases_json(drill.phases)},
                    {"allow", allow_json(drill)},
                    {"backend", drill::backend_name(plan.backend)},
                    {"faults", std::move(faults)},
                    {"jitter_tables", tables_json(plan)},
                    {"caps", caps_json(drill.caps)},
                    {"abort_when", conditions_json(drill)},
                    {"gates", gates_json(plan)},
                    {"seed", std::to_string(plan.seed)},
                    {"seed_drawn", plan.seed_drawn},
                    {"max_duration_ns", plan.max_duration_ns},
                    {"needs_delay_line", plan.needs_delay_line},
                    {"expected_round_trip_delay_ns", expected.delay_ns},
                    {"expected_round_trip_jitter_ns", expected.jitter_ns},
                    {"create_stop_file_at_end", drill.create_stop_file_at_end},
                    {"protected", texts(drill.protected_paths)},
                    {"trace", {{"waits", drill.trace_waits}}},
                    {"telemetry", {{"pass", drill.telemetry_pass}, {"fail", drill.telemetry_fail}}},
                    {"redact", drill.redact},
                    {"labels", drill.labels}};
  if (drill.capture) described["capture"] = {{"packets", drill.capture->packets}};
  return described;
}

}  // namespace brownout::plan
