// SPDX-License-Identifier: MIT
// Packets wait in user space: a TAP device of our own, with a thread per direction behind it. Needs no qdisc at all.
#pragma once

#include <memory>

#include "classifier_hook.hpp"
#include "delay_backend.hpp"
#include "delay_line.hpp"

namespace brownout::kernel {

class TapBackend final : public DelayBackend {
 public:
  TapBackend(HookKind hook, const DelayLine::Config& config) : hook_(hook), config_(config) {}

  Result<> open(inject_bpf& skeleton, double packets_per_second) override;
  void start_drain() override;
  bool drained(const brownout_inject_counters& sent) const override;
  std::chrono::nanoseconds drain_limit() const override { return std::chrono::milliseconds{500}; }
  Result<> close_inlet() override;
  Result<> close() override;
  std::array<LineCounters, BROWNOUT_DIRECTIONS> counters(const brownout_inject_counters& sent) const override;
  void append_objects(ObjectIds& ids) const override;
  nlohmann::json description() const override;

 private:
  HookKind hook_;
  DelayLine::Config config_;
  std::unique_ptr<DelayLine> line_;
  ClsactQdisc clsact_;
  ClassifierHook return_, guard_;
};

}  // namespace brownout::kernel
