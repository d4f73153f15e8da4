// SPDX-License-Identifier: MIT
// Packets wait in the kernel: programs set their departure time and sch_fq holds them (EDT). Accurate and cheap, where
// the kernel has sch_fq; the target's own device and its qdisc are left as they are.
#pragma once

#include <array>
#include <memory>

#include "delay_backend.hpp"
#include "edt_lane.hpp"

namespace brownout::kernel {

// For `longest` of delay at that rate, with room for bursts; never so many that memory is at stake.
FqLimits fq_limits_for(std::chrono::nanoseconds longest, double packets_per_second);
nlohmann::json fq_description(std::chrono::nanoseconds longest, double packets_per_second);

class EdtBackend final : public DelayBackend {
 public:
  struct Config {
    HookKind hook = HookKind::kTcx;
    brownout_control* control = nullptr;
    std::chrono::nanoseconds longest_delay{};
  };
  explicit EdtBackend(const Config& config) : config_(config) {}
  ~EdtBackend() override { static_cast<void>(close()); }

  Result<> open(inject_bpf& skeleton, double packets_per_second) override;
  bool drained(const brownout_inject_counters& sent) const override;
  std::chrono::nanoseconds drain_limit() const override;
  Result<> close_inlet() override;
  Result<> close() override;
  std::array<LineCounters, BROWNOUT_DIRECTIONS> counters(const brownout_inject_counters& sent) const override;
  void append_objects(ObjectIds& ids) const override;
  nlohmann::json description() const override;

 private:
  LineCounters read(std::size_t direction, const brownout_inject_counters& sent) const;
  void set_beat(std::uint64_t value);

  Config config_;
  double packets_per_second_ = 0;
  UniqueFd netns_;
  mutable std::array<EdtLane, BROWNOUT_DIRECTIONS> lanes_;  // reading their counters is a conversation
  inject_bpf* skeleton_ = nullptr;
  bool open_ = false;
  std::array<LineCounters, BROWNOUT_DIRECTIONS> last_{};  // as they were when the queues went
};

}  // namespace brownout::kernel
