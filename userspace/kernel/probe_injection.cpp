// SPDX-License-Identifier: MIT
#include <array>
#include <cerrno>

#include <linux/if_ether.h>

#include <fmt/format.h>

#include "brownout/fd.hpp"
#include "injector.hpp"
#include "probe.hpp"
#include "tap_device.hpp"

namespace brownout::kernel {
namespace {

// r0 = 0; exit
constexpr std::array<bpf_insn, 2> kNothing{{{.code = BPF_ALU64 | BPF_MOV | BPF_K}, {.code = BPF_JMP | BPF_EXIT}}};

Result<std::string> try_tap() {
  BROWNOUT_ASSIGN(const TapDevice device, TapDevice::make());
  return fmt::format("made and removed {}; UDP segmentation {}", device.name(),
                     device.udp_segmentation() ? "passes whole" : "is cut by the kernel (before 6.2)");
}

// On a device of our own that is down: no packet of anybody meets it.
Result<std::string> try_tcx() {
  BROWNOUT_ASSIGN(const TapDevice device, TapDevice::make());
  const UniqueFd program{
      bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "brownout_probe", "GPL", kNothing.data(), kNothing.size(), nullptr)};
  if (!program) return fail_libbpf(-errno, "load a traffic control program");
  for (const auto hook : {BPF_TCX_INGRESS, BPF_TCX_EGRESS}) {
    LIBBPF_OPTS(bpf_link_create_opts, options, .flags = BPF_F_BEFORE);
    const UniqueFd link{bpf_link_create(program.get(), device.ifindex(), hook, &options)};
    if (!link) return fail_libbpf(-errno, "make a tcx link");
  }
  return fmt::format("linked first on both hooks of {}, and removed", device.name());
}

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

Result<std::string> try_injector() {
  LIBBPF_OPTS(bpf_map_create_opts, mapped, .map_flags = BPF_F_MMAPABLE);
  LIBBPF_OPTS(bpf_map_create_opts, sparse, .map_flags = BPF_F_NO_PREALLOC);
  const UniqueFd control{
      bpf_map_create(BPF_MAP_TYPE_ARRAY, "control", sizeof(std::uint32_t), sizeof(brownout_control), 1, &mapped)};
  const UniqueFd flows{bpf_map_create(BPF_MAP_TYPE_HASH, "flows", sizeof(brownout_flow_key), sizeof(brownout_flow),
                                      BROWNOUT_MAX_FLOWS, &sparse)};
  if (!control || !flows) return fail_libbpf(-errno, "make the maps that injector and tracer share");
  BROWNOUT_ASSIGN(const LineTokens tokens, draw_line_tokens());
  BROWNOUT_ASSIGN(const auto skeleton,
                  load_inject_skeleton(every_kind_of_fault(), 1, tokens, control.get(), flows.get()));
  return std::string{"the verifier accepts the injector's programs"};
}

Result<std::string> try_witness() {
  BROWNOUT_TRY(DropWitness::attach(1));
  return std::string{"skb:kfree_skb with drop reasons, attached and detached"};
}

}  // namespace

std::vector<Capability> probe_injection() {
  std::vector<Capability> all;
  all.push_back(tried("tcx", true, try_tcx(),
                      "All faults: they hang on tcx links, which die with the process. Linux 6.6 "
                      "or newer is needed."));
  all.push_back(tried("injector", true, try_injector(), "All faults."));
  all.push_back(
      tried("tap", true, try_tap(), "Latency: packets wait in a TAP device. modprobe tun, and /dev/net/tun."));
  all.push_back(tried("drop_reasons", false, try_witness(),
                      "The second witness of loss from the container: "
                      "fault_effective rests on our own counters there."));
  return all;
}

}  // namespace brownout::kernel
