// SPDX-License-Identifier: MIT
#include "brownout/rehearsal.hpp"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>

#include "drop_witness.hpp"
#include "hookings.hpp"
#include "injector.hpp"
#include "packet_cost.hpp"
#include "qdisc.hpp"
#include "tap_device.hpp"
#include "trace_object.hpp"

namespace brownout::kernel {
namespace {

// What /proc says of a descriptor; for maps and programs it is what the owner's memory cgroup is charged with.
std::uint64_t accounted_bytes(int fd) {
  std::ifstream lines{fmt::format("/proc/self/fdinfo/{}", fd)};
  for (std::string key, value; lines >> key >> value;)
    if (key == "memlock:") return std::stoull(value);
  return 0;
}

PlannedObject planned(const bpf_map* map) {
  const char* type = libbpf_bpf_map_type_str(bpf_map__type(map));
  return {.kind = ObjectKind::kMap,
          .name = bpf_map__name(map),
          .detail = type != nullptr ? type : "",
          .bytes = accounted_bytes(bpf_map__fd(map))};
}

class List {
 public:
  explicit List(Rehearsal& rehearsal) : objects_(rehearsal.objects) {}

  // All that one BPF object has loaded, but for maps that it only shares.
  void add_loaded(const bpf_object* object, std::initializer_list<const bpf_map*> shared = {}) {
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object) {
      const int fd = bpf_program__fd(program);
      if (fd < 0) continue;
      objects_.push_back({.kind = ObjectKind::kProgram,
                          .name = bpf_program__name(program),
                          .detail = program_info(fd).type,
                          .bytes = accounted_bytes(fd)});
    }
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object) {
      const bool ours = bpf_map__fd(map) >= 0 && bpf_map__autocreate(map);
      if (ours && std::ranges::find(shared, map) == shared.end()) objects_.push_back(planned(map));
    }
  }

  void add(ObjectKind kind, std::string object, std::string where, std::string only_if = {}) {
    objects_.push_back({.kind = kind, .name = std::move(object), .detail = std::move(where), .only_if = std::move(only_if)});
  }
  void add_link(const bpf_program* program, const std::string& where, std::string only_if = {}) {
    add(ObjectKind::kLink, bpf_program__name(program), where, std::move(only_if));
  }

  void add_tracers_links(const trace_bpf& object, const target::Target& target) {
    for (const auto& [program, place, lost_without] : hookings_of(object))
      add_link(program, place == TraceHooking::Place::kCgroup ? target.cgroup_path.string() : bpf_program__section_name(program),
               lost_without.empty() ? std::string{} : "this kernel takes it");
    if (bpf_program__autoload(object.progs.trace_receive))
      add_link(object.progs.trace_receive, bpf_program__section_name(object.progs.trace_receive),
               "a socket of the target waits with SO_RCVTIMEO");
  }

  // Both sides of one device; filters need a qdisc to hang on.
  void add_hookings(const Hookings& hookings, HookKind hook, const std::string& device, bool has_clsact = false) {
    if (hook == HookKind::kClsact && !has_clsact) add(ObjectKind::kQdisc, "clsact", device);
    for (const auto& [program, side] : hookings)
      add(hook == HookKind::kTcx ? ObjectKind::kLink : ObjectKind::kFilter, bpf_program__name(program),
          fmt::format("{} of {}", kernel::name(side), device));
  }

  void add_delay_line(const inject_bpf& skeleton, HookKind hook) {
    const std::string device = fmt::format("{}*", kOurDevices);
    add(ObjectKind::kDevice, device, "TAP");
    add_hookings(hookings_of_line(skeleton), hook, device);
  }

  void add_edt(const inject_bpf& skeleton, HookKind hook) {
    for (const char suffix : {'e', 'i'}) {
      const std::string device = fmt::format("{}*{}", kOurDevices, suffix);
      add(ObjectKind::kDevice, device, "veth, its other end in a network namespace of our own");
      add(ObjectKind::kQdisc, "fq", device);
      add_hookings(hookings_of_outer_end(skeleton), hook, device);
      add_hookings(hookings_of_inner_end(skeleton), hook, "the other end of " + device);
    }
  }

 private:
  std::vector<PlannedObject>& objects_;
};

void rehearse_witness(int ifindex, List& list, std::vector<std::string>& not_observed) {
  const auto reasons = drop_reasons();
  auto witness = reasons ? load_witness(ifindex) : Result<WitnessSkeleton>{std::unexpected(reasons.error())};
  if (!witness) return not_observed.push_back("drop reasons: " + witness.error().what);
  list.add_loaded((*witness)->obj);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, (*witness)->obj) list.add_link(program, bpf_program__section_name(program));
}

}  // namespace

std::string_view name(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kProgram: return "program";
    case ObjectKind::kMap: return "map";
    case ObjectKind::kLink: return "link";
    case ObjectKind::kFilter: return "filter";
    case ObjectKind::kDevice: return "device";
    case ObjectKind::kQdisc: break;
  }
  return "qdisc";
}

Result<Rehearsal> rehearse(const plan::Plan& plan, const target::Target& target, const Interface& interface, const Means& means) {
  Rehearsal rehearsal;
  List list{rehearsal};
  BROWNOUT_ASSIGN(const auto trace, load_trace_object({.plan = plan, .target = target}, rehearsal.not_observed));
  list.add_loaded(trace->obj);
  list.add_tracers_links(*trace, target);
  BROWNOUT_ASSIGN(const auto tokens, draw_line_tokens());
  const auto backend = backend_needed(plan, means);
  const int control = bpf_map__fd(trace->maps.control);
  BROWNOUT_ASSIGN(const auto inject, load_inject_skeleton(plan, interface.host_ifindex, tokens, backend, control,
                                                          bpf_map__fd(trace->maps.flows)));
  list.add_loaded(inject->obj, {inject->maps.control, inject->maps.flows});
  BROWNOUT_ASSIGN(const bool has_clsact_already, has_clsact(interface.host_ifindex));
  list.add_hookings(hookings_of_veth(*inject), means.hook, interface.host_name, has_clsact_already);
  if (backend == drill::Backend::kDelayLine) list.add_delay_line(*inject, means.hook);
  if (backend == drill::Backend::kEdt) list.add_edt(*inject, means.hook);
  rehearse_witness(interface.host_ifindex, list, rehearsal.not_observed);
  BROWNOUT_ASSIGN(rehearsal.qdiscs, qdisc_listing(interface.host_ifindex));
  rehearsal.other_programs = foreign_programs(interface.host_ifindex, {});
  rehearsal.cost = measure_packet_cost(*inject, plan, control);
  return rehearsal;
}

}  // namespace brownout::kernel
