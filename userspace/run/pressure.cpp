// SPDX-License-Identifier: MIT
#include "pressure.hpp"

namespace brownout::run {

void PressureWindow::observe(std::int64_t now_ns, std::uint64_t completed) {
  points_.push_back({now_ns, completed});
  while (points_.size() > 1 && points_[1].t_ns <= now_ns - within_ns_) points_.pop_front();
}

std::int64_t PressureWindow::completed_within() const {
  if (points_.empty()) return 0;
  return static_cast<std::int64_t>(points_.back().completed - points_.front().completed);
}

}  // namespace brownout::run
