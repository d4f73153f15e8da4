// SPDX-License-Identifier: MIT
#include <cerrno>

#include <fmt/format.h>

#include "brownout/fd.hpp"
#include "injector.hpp"
#include "means.hpp"
#include "probe.hpp"

namespace brownout::kernel {
namespace {

plan::Plan every_kind_of_fault() {
  plan::Plan plan;
  plan.needs_delay_line = true;
  for (const std::uint32_t kind : {BROWNOUT_FAULT_LATENCY, BROWNOUT_FAULT_LOSS, BROWNOUT_FAULT_BLACKHOLE}) {
    plan::PlannedFault fault;
    fault.abi.kind = kind;
    fault.abi.match.directions = 3;
    plan.faults.push_back(fault);
  }
  return plan;
}

Result<std::string> try_injector(drill::Backend backend) {
  LIBBPF_OPTS(bpf_map_create_opts, mapped, .map_flags = BPF_F_MMAPABLE);
  LIBBPF_OPTS(bpf_map_create_opts, sparse, .map_flags = BPF_F_NO_PREALLOC);
  const UniqueFd control{
      bpf_map_create(BPF_MAP_TYPE_ARRAY, "control", sizeof(std::uint32_t), sizeof(brownout_control), 1, &mapped)};
  const UniqueFd flows{bpf_map_create(BPF_MAP_TYPE_HASH, "flows", sizeof(brownout_flow_key), sizeof(brownout_flow),
                                      BROWNOUT_MAX_FLOWS, &sparse)};
  if (!control || !flows) return fail_libbpf(-errno, "make the maps that injector and tracer share");
  BROWNOUT_ASSIGN(const LineTokens tokens, draw_line_tokens());
  BROWNOUT_ASSIGN(const auto skeleton,
                  load_inject_skeleton(every_kind_of_fault(), 1, tokens, backend, control.get(), flows.get()));
  return std::string{"the verifier accepts the injector's programs"};
}

Result<std::string> try_witness() {
  BROWNOUT_TRY(DropWitness::attach(1));
  return std::string{"skb:kfree_skb with drop reasons, attached and detached"};
}

}  // namespace

std::vector<Capability> probe_injection() {
  std::vector<Capability> all;
  const auto tcx = try_hook(HookKind::kTcx);
  const auto clsact = try_hook(HookKind::kClsact);
  all.push_back(tried("tcx", !clsact, tcx,
                      "Hooks that die with the process: clsact filters are used, which `brownout clean` removes after "
                      "a kill. Linux 6.6 or newer."));
  all.push_back(tried("clsact", !tcx, clsact,
                      "Nothing where tcx is there; else all faults. modprobe sch_ingress cls_bpf."));
  const auto hook = tcx ? HookKind::kTcx : HookKind::kClsact;
  const auto edt = try_edt(hook);
  const auto line = try_delay_line();
  all.push_back(tried("fq", !line, edt,
                      "The edt backend, in which packets wait in the kernel: the delay line does it in user space. "
                      "modprobe sch_fq."));
  all.push_back(tried("tap", !edt, line,
                      "The delay line, in which packets wait in user space. modprobe tun, and /dev/net/tun."));
  all.push_back(tried("injector", true, try_injector(edt ? drill::Backend::kEdt : drill::Backend::kDelayLine),
                      "All faults."));
  all.push_back(tried("drop_reasons", false, try_witness(),
                      "The second witness of loss from the container: "
                      "fault_effective rests on our own counters there."));
  return all;
}

}  // namespace brownout::kernel
