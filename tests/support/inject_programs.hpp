// SPDX-License-Identifier: MIT
// The injector's programs, loaded but attached nowhere: a packet in, a verdict out (BPF_PROG_TEST_RUN).
#pragma once

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <vector>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "../../userspace/kernel/delay_figures.hpp"
#include "../../userspace/kernel/injector.hpp"
#include "brownout/clock.hpp"
#include "support/flow_keys.hpp"
#include "support/packet_builder.hpp"
#include "support/plans.hpp"
#include "support/shared_maps.hpp"

namespace brownout::test {

inline constexpr int kPassed = TCX_NEXT, kDropped = TCX_DROP, kRedirected = TCX_REDIRECT;
inline constexpr kernel::LineTokens kTokens{.mark = 0x8badf00e, .magic = 0x12345678};

struct Outcome {
  int verdict = 0;
  std::uint32_t mark = 0;
  std::vector<std::uint8_t> bytes;
};
struct Skb {
  std::uint32_t mark = 0;
  std::uint32_t gso_size = 0, gso_segs = 0;
};

class InjectPrograms {
 public:
  explicit InjectPrograms(const plan::Plan& plan) {
    auto skeleton = kernel::load_inject_skeleton(plan, 1, kTokens,
                                                 plan.needs_delay_line ? std::optional{drill::Backend::kDelayLine} : std::nullopt,
                                                 maps.control_map_fd(), maps.flows_map_fd());
    if (!skeleton) throw std::runtime_error(skeleton.error().render());
    skeleton_ = std::move(*skeleton);
    if (plan.needs_delay_line) skeleton_->bss->line_ifindex = 1;
    const auto now = static_cast<std::uint64_t>(boottime_ns());
    control() = {.armed = 1,
                 .deadline_boot_ns = now + 3600'000'000'000,
                 .heartbeat_limit_ns = 3600'000'000'000,
                 .heartbeat_boot_ns = now,
                 .line_heartbeat_boot_ns = {now, now}};
  }

  Outcome egress(const Packet& packet, const Skb& skb = {}) {
    return run(skeleton_->progs.from_container, packet, skb);
  }
  Outcome ingress(const Packet& packet, const Skb& skb = {}) { return run(skeleton_->progs.to_container, packet, skb); }
  Outcome meet(int direction, const Packet& packet) {
    return direction == BROWNOUT_EGRESS ? egress(packet) : ingress(packet);
  }
  Outcome guard(const Packet& packet, const Skb& skb) { return run(skeleton_->progs.line_guard, packet, skb); }

  brownout_control& control() { return maps.control(); }
  brownout_inject_counters counters() const {
    return kernel::sum_over_cpus<brownout_inject_counters>(bpf_map__fd(skeleton_->maps.inject_counters), 0);
  }
  brownout_fault_counters fault(std::uint32_t index, std::uint32_t direction) const {
    return kernel::sum_over_cpus<brownout_fault_counters>(bpf_map__fd(skeleton_->maps.fault_counters),
                                                          index * BROWNOUT_DIRECTIONS + direction);
  }

  std::array<kernel::DelayFigures, BROWNOUT_DIRECTIONS> delays() const {
    return kernel::read_delay_figures(bpf_map__fd(skeleton_->maps.delay_histograms));
  }

  // What was captured since the last look.
  std::vector<brownout_capture_record> captures() const {
    auto ring = kernel::CaptureRing::open(bpf_map__fd(skeleton_->maps.captures));
    if (!ring) throw std::runtime_error(ring.error().render());
    auto rest = ring->take_rest();
    if (!rest) throw std::runtime_error(rest.error().render());
    return *std::move(rest);
  }
  brownout_capture_counters capture_counters() const {
    return kernel::sum_over_cpus<brownout_capture_counters>(bpf_map__fd(skeleton_->maps.capture_counters), 0);
  }
  bool has_capture_maps() const { return kernel::map_id(bpf_map__fd(skeleton_->maps.captures)) != 0; }
  // Of the program as it was translated: dead code is not in it.
  std::uint32_t translated_bytes() const {
    bpf_prog_info info{};
    std::uint32_t size = sizeof info;
    if (bpf_prog_get_info_by_fd(bpf_program__fd(skeleton_->progs.from_container), &info, &size) != 0)
      throw std::runtime_error("no info");
    return info.xlated_prog_len;
  }

  // How many instructions the verifier followed in the larger of the two programs on the veth.
  std::uint32_t verified_instructions() const {
    std::uint32_t most = 0;
    for (const bpf_program* program : {skeleton_->progs.from_container, skeleton_->progs.to_container}) {
      bpf_prog_info info{};
      std::uint32_t size = sizeof info;
      if (bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &size) != 0) throw std::runtime_error("no info");
      most = std::max(most, info.verified_insns);
    }
    return most;
  }

  SharedMaps maps;

 private:
  static Outcome run(const bpf_program* program, const Packet& packet, const Skb& wanted) {
    std::vector<std::uint8_t> in = packet.build();
    Outcome outcome;
    outcome.bytes.resize(in.size() + 256);
    __sk_buff skb{};
    skb.mark = wanted.mark;
    skb.gso_size = wanted.gso_size;
    skb.gso_segs = wanted.gso_segs;
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in.data(), .data_out = outcome.bytes.data(),
                .data_size_in = static_cast<__u32>(in.size()),
                .data_size_out = static_cast<__u32>(outcome.bytes.size()), .ctx_in = &skb, .ctx_out = &skb,
                .ctx_size_in = sizeof skb, .ctx_size_out = sizeof skb);
    if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) != 0)
      throw std::runtime_error(std::string("BPF_PROG_TEST_RUN: ") + std::strerror(errno));
    outcome.verdict = static_cast<int>(options.retval);
    outcome.mark = skb.mark;
    outcome.bytes.resize(options.data_size_out);
    return outcome;
  }

  kernel::InjectSkeleton skeleton_;
};

}  // namespace brownout::test
