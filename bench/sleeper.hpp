// SPDX-License-Identifier: MIT
// The yardstick of accuracy: a thread that does nothing but sleep until a deadline, as a delay line must.
#pragma once

#include <chrono>
#include <vector>

namespace brownout::bench {

inline constexpr int kLinePriority = 10, kTrafficPriority = 5;  // SCHED_FIFO

// The calling thread's. False: not allowed here, and then nothing was changed.
bool set_realtime(int priority);
void sleep_until_ns(std::int64_t monotonic);

// How late each of `count` absolute clock_nanosleep()s woke, in us: the delay line's policy, priority and timer
// slack, deadlines `interval` apart that begin `delay` from now.
std::vector<double> bare_sleeps(int count, std::chrono::nanoseconds interval, std::chrono::nanoseconds delay);

}  // namespace brownout::bench
