// SPDX-License-Identifier: MIT
#include "line_scheduling.hpp"

#include <algorithm>
#include <ctime>
#include <thread>

#include <sched.h>
#include <sys/prctl.h>

namespace brownout::kernel {
namespace {

constexpr int kPriority = 10;
constexpr std::uint64_t kReviewEvery = 20'000'000;
constexpr double kMost = 0.75, kAgain = 0.5;  // the kernel's own limit is 0.95 of all real-time threads of a CPU

int set_policy(bool realtime) {
  sched_param parameter{};
  parameter.sched_priority = realtime ? kPriority : 0;
  return ::pthread_setschedparam(::pthread_self(), realtime ? SCHED_FIFO : SCHED_OTHER, &parameter);
}

std::uint64_t cpu_time_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

LineScheduling::LineScheduling(bool wanted, unsigned threads)
    : wanted_(wanted),
      most_(kMost * std::min(1.0, static_cast<double>(std::max(1U, std::thread::hardware_concurrency())) /
                                      static_cast<double>(std::max(1U, threads)))) {}

void LineScheduling::begin() {
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // ns
  if (!wanted_) return;
  refusal_ = set_policy(true);
  realtime_ = refusal_ == 0;
}

void LineScheduling::review(std::uint64_t now_ns) {
  if (!wanted_ || refusal_.load(std::memory_order_relaxed) != 0 || now_ns - reviewed_ns_ < kReviewEvery) return;
  const std::uint64_t used_ns = cpu_time_ns();
  const double share = static_cast<double>(used_ns - used_ns_) / static_cast<double>(now_ns - reviewed_ns_);
  const bool first = reviewed_ns_ == 0;
  reviewed_ns_ = now_ns;
  used_ns_ = used_ns;
  if (first) return;
  const bool realtime = share < (realtime_ ? most_ : most_ * kAgain / kMost);
  if (realtime == realtime_ || set_policy(realtime) != 0) return;
  realtime_ = realtime;
  if (!realtime) yields_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace brownout::kernel
