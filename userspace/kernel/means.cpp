// SPDX-License-Identifier: MIT
#include "means.hpp"

#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <net/if.h>

#include "classifier_hook.hpp"
#include "edt_backend.hpp"
#include "edt_lane.hpp"
#include "line_thread.hpp"
#include "netns.hpp"
#include "tap_device.hpp"

namespace brownout::kernel {
namespace {

// r0 = 0; exit
constexpr std::array<bpf_insn, 2> kNothing{{{.code = BPF_ALU64 | BPF_MOV | BPF_K}, {.code = BPF_JMP | BPF_EXIT}}};

Result<std::string> hook_both_sides(HookKind kind) {
  const UniqueFd program{
      bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "brownout_probe", "GPL", kNothing.data(), kNothing.size(), nullptr)};
  if (!program) return fail_libbpf(-errno, "load a traffic control program");
  const int lo = static_cast<int>(::if_nametoindex("lo"));
  ClsactQdisc clsact;
  if (kind == HookKind::kClsact) {
    BROWNOUT_ASSIGN(clsact, ClsactQdisc::ensure(lo, "lo", nullptr));
  }
  for (const auto side : {HookSide::kIngress, HookSide::kEgress})
    BROWNOUT_TRY(ClassifierHook::attach(kind, program.get(), {lo, "lo", side}, nullptr));
  return fmt::format("a program on both sides of a device of its own, and removed");
}

std::string why(const Result<std::string>& outcome) { return outcome ? *outcome : outcome.error().render(); }

Result<> choose_hook(Means& means) {
  const auto tcx = try_hook(HookKind::kTcx);
  if (tcx) {
    means.hook = HookKind::kTcx;
    means.hook_reason = "tcx links are there, and die with the process";
    return {};
  }
  const auto clsact = try_hook(HookKind::kClsact);
  if (!clsact)
    return fail(ErrorCode::kUnsupported, "no program can be put on a network device here",
                fmt::format("tcx: {} clsact: {}", why(tcx), why(clsact)));
  means.hook = HookKind::kClsact;
  means.hook_reason = "no tcx links: " + why(tcx);
  return {};
}

Result<> choose_backend(drill::Backend wanted, Means& means) {
  const auto take = [&means](drill::Backend backend, std::string reason) -> Result<> {
    means.backend = backend;
    means.backend_reason = std::move(reason);
    return {};
  };
  if (wanted == drill::Backend::kDelayLine) {
    if (const auto line = try_delay_line(); !line) return std::unexpected(line.error());
    return take(drill::Backend::kDelayLine, "the drill asks for it");
  }
  const auto edt = try_edt(means.hook);
  if (wanted == drill::Backend::kEdt) {
    if (!edt) return std::unexpected(edt.error());
    return take(drill::Backend::kEdt, "the drill asks for it");
  }
  if (edt) return take(drill::Backend::kEdt, "sch_fq is there: packets wait in the kernel");
  const auto line = try_delay_line();
  if (line) return take(drill::Backend::kDelayLine, "no edt: " + why(edt));
  return fail(ErrorCode::kUnsupported, "packets cannot be made to wait here",
              fmt::format("edt: {} delay_line: {}", why(edt), why(line)));
}

}  // namespace

std::string_view name(HookKind kind) { return kind == HookKind::kTcx ? "tcx" : "clsact"; }

Result<std::string> try_hook(HookKind kind) {
  quiet_libbpf();
  BROWNOUT_ASSIGN(const UniqueFd netns, make_netns());
  Result<std::string> tried;
  BROWNOUT_TRY(in_netns(netns, [&]() -> Result<> {
    tried = hook_both_sides(kind);
    return {};
  }));
  return tried;
}

Result<std::string> try_delay_line() {
  BROWNOUT_ASSIGN(const TapDevice device, TapDevice::make(1));
  return fmt::format("made and removed {}; UDP segmentation {}", device.name(),
                     device.udp_segmentation() ? "passes whole" : "is cut by the kernel (before 6.2)");
}

Result<std::string> try_edt(HookKind hook) {
  BROWNOUT_ASSIGN(const UniqueFd outer, make_netns());
  BROWNOUT_ASSIGN(const UniqueFd inner, make_netns());
  BROWNOUT_TRY(in_netns(outer, [&]() -> Result<> {
    BROWNOUT_ASSIGN(auto lane, EdtLane::make({.hook = hook,
                                              .netns = inner,
                                              .limits = {.packets = 1000, .horizon = std::chrono::seconds{1}}}));
    return lane.remove();
  }));
  return std::string{"made and removed a veth pair with an fq qdisc"};
}

Result<Means> choose_means(drill::Backend wanted, bool delays) {
  Means means;
  BROWNOUT_TRY(choose_hook(means));
  if (delays) BROWNOUT_TRY(choose_backend(wanted, means));
  return means;
}

nlohmann::json queue_limits(const Means& means, const plan::Plan& plan, double packets_per_second) {
  if (!means.backend) return nullptr;
  if (*means.backend == drill::Backend::kEdt)
    return fq_description(std::chrono::nanoseconds{plan::longest_delay_ns(plan)}, packets_per_second);
  const LineThread::Limits limits;
  return {{"limit_packets", limits.packets}, {"limit_bytes", limits.bytes}};
}

nlohmann::json to_json(const Means& means) {
  nlohmann::json json{{"hook", name(means.hook)}, {"hook_reason", means.hook_reason}};
  if (!means.backend) return json;
  json["backend"] = drill::backend_name(*means.backend);
  json["backend_reason"] = means.backend_reason;
  return json;
}

}  // namespace brownout::kernel
