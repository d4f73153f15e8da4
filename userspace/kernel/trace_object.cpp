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

// The tracepoint's third argument is the outcome of the retransmission; older kernels do not have it.
bool retransmit_has_error() {
  const std::unique_ptr<btf, BtfCloser> types{btf__load_vmlinux_btf()};
  if (!types) return false;
  const __s32 id = btf__find_by_name_kind(types.get(), "btf_trace_tcp_retransmit_skb", BTF_KIND_TYPEDEF);
  if (id < 0) return false;
  const btf_type* type = btf__type_by_id(types.get(), static_cast<__u32>(id)); // typedef -> pointer -> prototype
  type = btf__type_by_id(types.get(), type->type);
  type = type != nullptr && btf_is_ptr(type) ? btf__type_by_id(types.get(), type->type) : nullptr;
  return type != nullptr && btf_is_func_proto(type) && btf_vlen(type) == 4; // void *, sk, skb, err
}

void configure(trace_bpf& object, const Tracer::Config& config) {
  auto& constants = *object.rodata;
  constants.target_cgroup_id = config.target.cgroup_id;
  constants.target_cgroup_level = static_cast<__u32>(config.target.cgroup_level);
  constants.details_per_second = config.details_per_second;
  constants.retransmit_has_error = retransmit_has_error();
  const auto& faults = config.plan.faults;
  constants.fault_count = static_cast<__u32>(std::min<std::size_t>(faults.size(), BROWNOUT_MAX_FAULTS));
  for (std::size_t i = 0; i < constants.fault_count; ++i) constants.faults[i] = faults[i].abi;
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
  object->rodata->iterator_sets_callbacks = iterator == Iterator::kSetsCallbacks;
  bpf_program__set_autoload(object->progs.trace_enrol, iterator != Iterator::kNone);
  if (const int error = trace_bpf::load(object.get()); error != 0)
    return fail_libbpf(error, "load the tracer's BPF programs",
                       "root is needed, and a kernel with BTF (/sys/kernel/btf/vmlinux); see `brownout doctor`");
  return object;
}

}  // namespace

Result<TraceObject> load_trace_object(const Tracer::Config& config, std::vector<std::string>& not_observed) {
  if (!retransmit_has_error())
    not_observed.emplace_back("whether a retransmit left this host: tcp_retransmit_skb does not tell here");
  auto object = load(config, Iterator::kSetsCallbacks);
  if (object) return object;
  // The kernel may lack only what enrolment needs. (The verifier says EACCES too: permission is no reason to stop.)
  if (auto reading = load(config, Iterator::kOnlyReads)) return reading;
  auto smaller = load(config, Iterator::kNone);
  if (!smaller) return object;
  not_observed.push_back("connections that were open before: unseen until they send, and their RTOs never: " + object.error().render());
  return smaller;
}

}  // namespace brownout::kernel
