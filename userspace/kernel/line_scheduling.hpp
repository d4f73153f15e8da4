// SPDX-License-Identifier: MIT
// Real-time scheduling of a line's thread, and leaving it for a while before it starves the machine.
#pragma once

#include <atomic>
#include <cstdint>

#include <pthread.h>

namespace brownout::kernel {

class LineScheduling {
 public:
  // `threads`: how many of the line share the machine.
  LineScheduling(bool wanted, unsigned threads);

  // By the thread itself, first thing: also the timer slack.
  void begin();
  // By the thread, every now and then. Real time while it uses less than its share of a CPU; above that the kernel
  // would stop it for the rest of a second (sched_rt_runtime_us), with all that it holds.
  void review(std::uint64_t now_ns);

  int refusal() const { return refusal_.load(std::memory_order_relaxed); }  // errno; 0: got it, or not asked for
  std::uint64_t yields() const { return yields_.load(std::memory_order_relaxed); }

 private:
  bool wanted_;
  double most_;  // of a CPU
  std::atomic<int> refusal_{0};
  std::atomic<std::uint64_t> yields_{0};
  bool realtime_ = false;
  std::uint64_t reviewed_ns_ = 0, used_ns_ = 0;
};

}  // namespace brownout::kernel
