// SPDX-License-Identifier: MIT
// The injector: programs on the host-side veth and, when the plan delays, a backend behind them.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "bpf_objects.hpp"
#include "brownout/kernel.hpp"
#include "capture_ring.hpp"
#include "classifier_hook.hpp"
#include "delay_backend.hpp"
#include "inject.skel.h"

namespace brownout::kernel {

struct InjectSkeletonDeleter {
  void operator()(inject_bpf* skeleton) const { inject_bpf__destroy(skeleton); }
};
using InjectSkeleton = std::unique_ptr<inject_bpf, InjectSkeletonDeleter>;

// What a run draws so that no other packet and no other run is mistaken for it.
struct LineTokens {
  std::uint32_t mark = 0;  // even: the lowest bit is the direction
  std::uint32_t magic = 0;
};
Result<LineTokens> draw_line_tokens();

// Opened, told its plan, verified by the kernel; control and flows are those of the descriptors given.
// Without a backend the programs of both are left out.
Result<InjectSkeleton> load_inject_skeleton(const plan::Plan& plan, int veth_ifindex, const LineTokens& tokens,
                                            std::optional<drill::Backend> backend, int control_map_fd,
                                            int flows_map_fd);
// What the programs are chosen by: none when nothing is delayed, whatever there is.
inline std::optional<drill::Backend> backend_needed(const plan::Plan& plan, const Means& means) {
  return plan.needs_delay_line ? means.backend : std::nullopt;
}
// Programs of others on the hooks of a device, for people: "ingress: cil_from_container (id 12), ahead of ours".
std::vector<std::string> foreign_programs(int ifindex, const std::vector<std::uint32_t>& ours);

class VethInjector final : public Injector {
 public:
  VethInjector(const Config& config, const LineTokens& tokens, InjectSkeleton skeleton, std::optional<CaptureRing> captures);
  ~VethInjector() override;

  Result<> attach(double packets_per_second) override;
  Result<> arm() override;
  void beat() override;
  void start_drain() override;
  bool drained() const override;
  Result<> detach() override;

  std::vector<brownout_fault_counters> fault_counters() const override;
  brownout_inject_counters counters() const override;
  std::array<LineCounters, BROWNOUT_DIRECTIONS> line_counters() const override;
  std::array<DelayFigures, BROWNOUT_DIRECTIONS> delay_figures() const override;
  Result<> consume_captures(const std::function<void(const brownout_capture_record&)>& sink) override;
  brownout_capture_counters capture_counters() const override;
  std::vector<ProgramInfo> programs() const override;
  ObjectIds objects() const override { return objects_; }
  nlohmann::json description() const override;

 private:
  std::unique_ptr<DelayBackend> make_backend() const;
  Result<> attach_all(double packets_per_second);
  Result<> attach_veth();
  void await_drained();
  Result<> compare_qdiscs();
  void note_objects();
  void keep_last_figures();
  Result<> keep_last_captures();

  brownout_control& control_;
  Means means_;
  Journal* journal_;
  std::chrono::nanoseconds heartbeat_limit_, max_duration_, longest_delay_;
  std::size_t fault_count_;
  bool realtime_;
  std::size_t line_queues_;
  Interface interface_;
  LineTokens tokens_;

  InjectSkeleton skeleton_;  // empty after detach
  std::optional<CaptureRing> captures_;
  std::unique_ptr<DelayBackend> backend_;
  ClsactQdisc clsact_;
  ClassifierHook from_container_, to_container_;
  std::optional<std::vector<std::string>> qdiscs_before_, qdiscs_after_;  // of the target's own device

  ObjectIds objects_;
  std::vector<std::string> other_programs_;
  // As they were at detach, when the maps went.
  std::vector<brownout_fault_counters> last_fault_counters_;
  brownout_inject_counters last_counters_{};
  brownout_capture_counters last_capture_counters_{};
  std::vector<brownout_capture_record> last_captures_;
  std::array<LineCounters, BROWNOUT_DIRECTIONS> last_lines_{};
  nlohmann::json last_backend_;
  std::array<DelayFigures, BROWNOUT_DIRECTIONS> last_delay_figures_{};
  std::vector<ProgramInfo> last_programs_;
};

}  // namespace brownout::kernel
