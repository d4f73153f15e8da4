// SPDX-License-Identifier: MIT
#include "sleeper.hpp"

#include <cerrno>
#include <ctime>
#include <thread>

#include <pthread.h>
#include <sys/prctl.h>

#include "brownout/clock.hpp"

namespace brownout::bench {

bool set_realtime(int priority) {
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // ns
  sched_param parameter{};
  parameter.sched_priority = priority;
  return ::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &parameter) == 0;
}

void sleep_until_ns(std::int64_t monotonic) {
  const timespec deadline{.tv_sec = monotonic / 1'000'000'000, .tv_nsec = monotonic % 1'000'000'000};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nullptr) == EINTR) {
  }
}

std::vector<double> bare_sleeps(int count, std::chrono::nanoseconds interval, std::chrono::nanoseconds delay) {
  std::vector<double> late(static_cast<std::size_t>(count));
  std::thread{[&] {
    set_realtime(kLinePriority);
    std::int64_t deadline = monotonic_ns() + delay.count();
    for (double& one : late) {
      sleep_until_ns(deadline);
      one = static_cast<double>(monotonic_ns() - deadline) / 1e3;
      deadline += interval.count();
    }
  }}.join();
  return late;
}

}  // namespace brownout::bench
