// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <span>

#include <sys/random.h>

#include <fmt/format.h>

#include "brownout/fd.hpp"
#include "capture_ring.hpp"
#include "flavour.hpp"
#include "injector.hpp"
#include "jitter_tables.hpp"

namespace brownout::kernel {
namespace {

constexpr std::size_t kForeignProgramsListed = 64;

void tell_plan(inject_bpf& skeleton, const plan::Plan& plan, int veth_ifindex, const LineTokens& tokens) {
  auto& constants = *skeleton.rodata;
  for (std::size_t i = 0; i < plan.faults.size(); ++i) {
    const brownout_fault& fault = plan.faults[i].abi;
    std::memcpy(&constants.faults[i], &fault, sizeof fault);
  }
  constants.caps.most[BROWNOUT_CAP_PACKETS] = plan.drill.caps.max_packets;
  constants.caps.most[BROWNOUT_CAP_BYTES] = plan.drill.caps.max_bytes;
  constants.caps.most[BROWNOUT_CAP_CONNECTIONS] = plan.drill.caps.max_connections;
  constants.longest_delay_ns = plan::longest_delay_ns(plan);
  constants.fault_count = static_cast<std::uint32_t>(plan.faults.size());
  constants.seed = plan.seed;
  constants.allowed = plan.allowed;
  constants.by_share = plan::asks_for_share(plan);
  constants.veth_ifindex = static_cast<std::uint32_t>(veth_ifindex);
  constants.mark_token = tokens.mark;
  constants.line_magic = tokens.magic;
}

void leave_out(std::initializer_list<bpf_program*> programs) {
  for (bpf_program* program : programs) bpf_program__set_autoload(program, false);
}

void choose_programs(inject_bpf& skeleton, std::optional<drill::Backend> backend) {
  const auto& programs = skeleton.progs;
  const bool edt = backend == drill::Backend::kEdt, line = backend == drill::Backend::kDelayLine;
  skeleton.rodata->delay_by_edt = edt;
  if (!edt) leave_out({programs.edt_enter, programs.edt_turn, programs.edt_return});
  if (!line) leave_out({programs.line_return, programs.line_steer});
  if (!edt && !line) leave_out({programs.line_guard});
}

void list_foreign(int ifindex, bpf_attach_type hook, std::string_view hook_name, const std::vector<std::uint32_t>& ours,
                  std::vector<std::string>& into) {
  std::array<std::uint32_t, kForeignProgramsListed> ids{};
  LIBBPF_OPTS(bpf_prog_query_opts, options, .prog_ids = ids.data(), .prog_cnt = kForeignProgramsListed);
  if (bpf_prog_query_opts(ifindex, hook, &options) != 0) return;
  bool ahead = !ours.empty(); // once there, ours goes before all others
  for (const std::uint32_t id : std::span{ids}.first(std::min<std::size_t>(options.prog_cnt, ids.size()))) {
    if (std::ranges::find(ours, id) != ours.end()) {
      ahead = false;
      continue;
    }
    const UniqueFd program{bpf_prog_get_fd_by_id(id)};
    into.push_back(fmt::format("{}: {} (id {}), {} ours", hook_name, program ? program_info(program.get()).name : "?",
                               id, ahead ? "ahead of" : "behind"));
  }
}

}  // namespace

Result<LineTokens> draw_line_tokens() {
  std::array<std::uint32_t, 2> drawn{};
  if (::getrandom(drawn.data(), sizeof drawn, 0) != static_cast<ssize_t>(sizeof drawn))
    return fail_errno(ErrorCode::kKernel, "draw random numbers");
  return LineTokens{.mark = (drawn[0] & ~1U) | 0x80000000U, .magic = drawn[1]};
}

Result<InjectSkeleton> load_inject_skeleton(const plan::Plan& plan, int veth_ifindex, const LineTokens& tokens,
                                            std::optional<drill::Backend> backend, int control_map_fd,
                                            int flows_map_fd) {
  quiet_libbpf();
  if (plan.faults.empty() || plan.faults.size() > BROWNOUT_MAX_FAULTS)
    return fail(ErrorCode::kUsage,
                fmt::format("{} faults; from 1 to {} are possible", plan.faults.size(), BROWNOUT_MAX_FAULTS));
  InjectSkeleton skeleton{open_inject_flavour(flavour_here())};
  if (!skeleton) return fail_libbpf(0, "open the injector's programs");
  tell_plan(*skeleton, plan, veth_ifindex, tokens);
  choose_programs(*skeleton, backend);
  if (const int result = bpf_map__reuse_fd(skeleton->maps.control, control_map_fd); result != 0)
    return fail_libbpf(result, "share the control map with the tracer");
  if (const int result = bpf_map__reuse_fd(skeleton->maps.flows, flows_map_fd); result != 0)
    return fail_libbpf(result, "share the flow table with the tracer");
  if (const int result = size_captures(*skeleton, plan); result != 0)
    return fail_libbpf(result, "make room for the packets that are captured");
  if (const int result = size_jitter_tables(*skeleton, plan); result != 0)
    return fail_libbpf(result, "make room for the jitter tables");
  if (const int result = inject_bpf__load(skeleton.get()); result != 0)
    return fail_libbpf(result, "load the injector's programs",
                       "`brownout doctor` says what this kernel lacks; BTF is needed.");
  BROWNOUT_TRY(fill_jitter_tables(*skeleton, plan));
  return skeleton;
}

std::vector<std::string> foreign_programs(int ifindex, const std::vector<std::uint32_t>& ours) {
  std::vector<std::string> found;
  list_foreign(ifindex, BPF_TCX_INGRESS, "ingress", ours, found);
  list_foreign(ifindex, BPF_TCX_EGRESS, "egress", ours, found);
  return found;
}

}  // namespace brownout::kernel
