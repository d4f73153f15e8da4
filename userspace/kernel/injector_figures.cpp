// SPDX-License-Identifier: MIT
// What the injector tells about itself.
#include <utility>

#include "delay_figures.hpp"
#include "injector.hpp"
#include "object_ids.hpp"

namespace brownout::kernel {

std::vector<brownout_fault_counters> VethInjector::fault_counters() const {
  if (!skeleton_) return last_fault_counters_;
  const int map = bpf_map__fd(skeleton_->maps.fault_counters);
  std::vector<brownout_fault_counters> counters;
  for (std::uint32_t i = 0; i < fault_count_ * BROWNOUT_DIRECTIONS; ++i)
    counters.push_back(sum_over_cpus<brownout_fault_counters>(map, i));
  return counters;
}

brownout_inject_counters VethInjector::counters() const {
  if (!skeleton_) return last_counters_;
  return sum_over_cpus<brownout_inject_counters>(bpf_map__fd(skeleton_->maps.inject_counters), 0);
}

std::array<LineCounters, BROWNOUT_DIRECTIONS> VethInjector::line_counters() const {
  return backend_ && skeleton_ ? backend_->counters(counters()) : last_lines_;
}

std::array<DelayFigures, BROWNOUT_DIRECTIONS> VethInjector::delay_figures() const {
  return skeleton_ ? read_delay_figures(bpf_map__fd(skeleton_->maps.delay_histograms)) : last_delay_figures_;
}

std::vector<ProgramInfo> VethInjector::programs() const {
  return skeleton_ ? object_programs(skeleton_->obj) : last_programs_;
}

brownout_capture_counters VethInjector::capture_counters() const {
  if (!skeleton_ || !captures_) return last_capture_counters_;
  return sum_over_cpus<brownout_capture_counters>(bpf_map__fd(skeleton_->maps.capture_counters), 0);
}

Result<> VethInjector::consume_captures(const std::function<void(const brownout_capture_record&)>& sink) {
  if (captures_) return captures_->consume(sink);
  for (const auto& record : std::exchange(last_captures_, {})) sink(record);
  return {};
}

Result<> VethInjector::keep_last_captures() {
  if (!captures_) return {};
  last_capture_counters_ = capture_counters();
  auto rest = captures_->take_rest();
  captures_.reset();
  if (!rest) return std::unexpected(std::move(rest).error());
  last_captures_ = *std::move(rest);
  return {};
}

void VethInjector::note_objects() {
  objects_ = {};
  for (const ProgramInfo& program : programs()) objects_.programs.push_back(program.id);
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton_->obj) {
    const bool shared = map == skeleton_->maps.control || map == skeleton_->maps.flows;  // the tracer's
    if (!shared && bpf_map__autocreate(map)) objects_.maps.push_back(map_id(bpf_map__fd(map)));
  }
  // To ask takes CAP_NET_ADMIN and CAP_SYS_ADMIN, which go when a fault is armed.
  other_programs_ = foreign_programs(interface_.host_ifindex, objects_.programs);
  for (const ClassifierHook* hook : {&from_container_, &to_container_})
    if (const auto id = hook->link_id(); id != 0) objects_.links.push_back(id);
  if (backend_) backend_->append_objects(objects_);
}

void VethInjector::keep_last_figures() {
  last_fault_counters_ = fault_counters();
  last_counters_ = counters();
  last_delay_figures_ = delay_figures();
  last_programs_ = programs();
  if (!backend_) return;
  last_lines_ = backend_->counters(last_counters_);
  last_backend_ = backend_->description();
}

nlohmann::json VethInjector::description() const {
  nlohmann::json description = {{"means", to_json(means_)},
                                {"interface", interface_.host_name},
                                {"ifindex", interface_.host_ifindex},
                                {"hooks", {"ingress: from the container", "egress: to the container"}},
                                {"drop", {{"from_container", "drop"}, {"to_container", "redirect to no device"}}},
                                {"heartbeat_limit_ns", heartbeat_limit_.count()},
                                {"max_duration_ns", max_duration_.count()},
                                {"qdiscs_before", qdiscs_before_.value_or(std::vector<std::string>{})},
                                {"other_programs", other_programs_}};
  if (qdiscs_after_) description["qdiscs_as_before"] = qdiscs_before_ == qdiscs_after_;
  if (means_.backend)
    description[std::string{drill::backend_name(*means_.backend)}] = skeleton_ && backend_ ? backend_->description() : last_backend_;
  return description;
}

}  // namespace brownout::kernel
