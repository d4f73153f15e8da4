// SPDX-License-Identifier: MIT
#include "trace_object.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <bpf/btf.h>

#include "bpf_objects.hpp"
#include "flavour.hpp"

namespace brownout::kernel {

namespace {

struct BtfCloser {
  void operator()(btf* types) const { btf__free(types); }
};

// How many arguments a tracepoint hands over here; 0: this kernel has none of that name.
int tracepoint_arguments(const std::string& name) {
  const std::unique_ptr<btf, BtfCloser> types{btf__load_vmlinux_btf()};
  if (!types) return 0;
  const __s32 id = btf__find_by_name_kind(types.get(), ("btf_trace_" + name).c_str(), BTF_KIND_TYPEDEF);
  if (id < 0) return 0;
  const btf_type* type = btf__type_by_id(types.get(), static_cast<__u32>(id)); // typedef -> pointer -> prototype
  type = btf__type_by_id(types.get(), type->type);
  type = type != nullptr && btf_is_ptr(type) ? btf__type_by_id(types.get(), type->type) : nullptr;
  return type != nullptr && btf_is_func_proto(type) ? btf_vlen(type) - 1 : 0; // the first is the program's own
}

// The third argument is the outcome of the retransmission; older kernels do not have it.
bool retransmit_has_error() { return tracepoint_arguments("tcp_retransmit_skb") == 3; }

void configure(trace_bpf& object, const Tracer::Config& config) {
  auto& constants = *object.rodata;
  constants.target_cgroup_id = config.target.cgroup_id;
  constants.target_cgroup_level = static_cast<__u32>(config.target.cgroup_level);
  constants.target_netns = static_cast<__u32>(config.target.netns_inode);
  constants.waits_are_traced = config.plan.drill.trace_waits;
  constants.details_per_second = config.details_per_second;
  constants.payloads_per_second = config.payloads_per_second;
  constants.retransmit_has_error = retransmit_has_error();
  constants.receives_are_traced = tracepoint_arguments("sock_recv_length") == 3;
  const auto& faults = config.plan.faults;
  constants.fault_count = static_cast<__u32>(std::min<std::size_t>(faults.size(), BROWNOUT_MAX_FAULTS));
  for (std::size_t i = 0; i < constants.fault_count; ++i) constants.faults[i] = faults[i].abi;
  constants.allowed = config.plan.allowed;
  const auto& app = config.plan.drill.app;
  if (!app) return;
  const auto& comm = app->process.comm; // the kernel keeps 15 characters of a name
  std::memcpy(constants.app_comm, comm.data(), std::min<std::size_t>(comm.size(), BROWNOUT_COMM_LENGTH - 1));
}

// What the iterator over sockets may do here is found by trying, the most first.
enum class Iterator { kSetsCallbacks, kOnlyReads, kNone };

Result<TraceObject> load(const Tracer::Config& config, Iterator iterator) {
  quiet_libbpf();
  TraceObject object{open_trace_flavour(flavour_here())};
  if (!object) return fail_libbpf(0, "open the tracer's BPF object");
  configure(*object, config);
  bpf_map__set_max_entries(object->maps.events, config.ring_bytes);
  object->rodata->iterator_sets_callbacks = iterator == Iterator::kSetsCallbacks;
  for (auto* program : {object->progs.trace_enrol, object->progs.trace_in_flight})
    bpf_program__set_autoload(program, iterator != Iterator::kNone);
  bpf_program__set_autoload(object->progs.trace_receive, object->rodata->receives_are_traced);
  bpf_program__set_autoload(object->progs.trace_error_report, tracepoint_arguments("inet_sk_error_report") == 1);
  for (auto* program : {object->progs.trace_wait_begins, object->progs.trace_wait_ends})
    bpf_program__set_autoload(program, object->rodata->waits_are_traced);
  if (const int error = trace_bpf::load(object.get()); error != 0)
    return fail_libbpf(error, "load the tracer's BPF programs",
                       "root is needed, and a kernel with BTF (/sys/kernel/btf/vmlinux); see `brownout doctor`");
  return object;
}

}  // namespace

Result<TraceObject> load_trace_object(const Tracer::Config& config, std::vector<std::string>& not_observed) {
  if (tracepoint_arguments("sock_recv_length") != 3)
    not_observed.emplace_back("when a receive ran into SO_RCVTIMEO: sock_recv_length needs Linux 6.3; read timeouts are inferred");
  if (tracepoint_arguments("inet_sk_error_report") != 1)
    not_observed.emplace_back("ICMP errors that come while connect() runs: inet_sk_error_report needs Linux 5.14; such a "
                              "connect looks abandoned");
  auto object = load(config, Iterator::kSetsCallbacks);
  if (object) return object;
  // The kernel may lack only what enrolment needs. (The verifier says EACCES too: permission is no reason to stop.)
  if (auto reading = load(config, Iterator::kOnlyReads)) return reading;
  auto smaller = load(config, Iterator::kNone);
  if (!smaller) return smaller; // without the iterator it fails, too: this says why
  not_observed.push_back("connections that were open before: unseen until they send, and their RTOs never: " + object.error().render());
  return smaller;
}

// The owner is recorded by the first, so that it comes first; sockops needs it, payload needs both.
std::vector<TraceHooking> hookings_of(const trace_bpf& object) {
  using enum TraceHooking::Place;
  const auto& programs = object.progs;
  std::vector<TraceHooking> hookings;
  for (auto* program : {programs.trace_set_state, programs.trace_retransmit, programs.trace_retransmit_synack,
                        programs.trace_reset_sent, programs.trace_error_report, programs.trace_wait_ends,
                        programs.trace_wait_begins})
    if (bpf_program__autoload(program)) hookings.push_back({program, kTracepoint, {}});
  hookings.push_back({programs.trace_sockops, kCgroup, {}});
  hookings.push_back({programs.trace_release, kCgroup, "DNS queries left unanswered by a closed socket, but by age"});
  hookings.push_back({programs.trace_egress, kCgroup, {}});
  hookings.push_back({programs.trace_ingress, kCgroup, {}});
  return hookings;
}

}  // namespace brownout::kernel
