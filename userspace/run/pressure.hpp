// SPDX-License-Identifier: MIT
// Sliding window over a cumulative count of completed calls.
#pragma once

#include <cstdint>
#include <deque>

namespace brownout::run {

class PressureWindow {
 public:
  PressureWindow(std::int64_t wanted, std::int64_t within_ns) : wanted_(wanted), within_ns_(within_ns) {}

  // `completed` is a total that never falls; times never go back.
  void observe(std::int64_t now_ns, std::uint64_t completed);
  std::int64_t completed_within() const;
  bool reached() const { return completed_within() >= wanted_; }
  std::int64_t wanted() const { return wanted_; }
  std::int64_t within_ns() const { return within_ns_; }

 private:
  struct Point { std::int64_t t_ns; std::uint64_t completed; };
  std::int64_t wanted_;
  std::int64_t within_ns_;
  std::deque<Point> points_;  // the first is the last one at or before the window's start
};

}  // namespace brownout::run
