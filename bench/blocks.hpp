// SPDX-License-Identifier: MIT
// Figures of a cell: of everything in it, and of each of its blocks.
#pragma once

#include <algorithm>
#include <vector>

#include <nlohmann/json.hpp>

#include "machine.hpp"

namespace brownout::bench {

class Blocks {
 public:
  void add(std::vector<double> block) {
    all_.insert(all_.end(), block.begin(), block.end());
    std::ranges::sort(block);
    p50_.push_back(quantile(block, 0.5));
    p99_.push_back(quantile(block, 0.99));
  }
  const std::vector<double>& p50() const { return p50_; }
  const std::vector<double>& p99() const { return p99_; }
  double block_p50() const { return median(p50_); }
  double block_p99() const { return median(p99_); }
  nlohmann::json json() const {
    std::vector<double> sorted = all_;
    std::ranges::sort(sorted);
    return {{"n", sorted.size()},
            {"p50_us", quantile(sorted, 0.5)},
            {"p99_us", quantile(sorted, 0.99)},
            {"max_us", sorted.empty() ? 0 : sorted.back()},
            {"median_block_p50_us", block_p50()},
            {"median_block_p99_us", block_p99()},
            {"block_p50_us", p50_},
            {"block_p99_us", p99_}};
  }

 private:
  std::vector<double> all_, p50_, p99_;
};

// What is over the planned delay.
inline std::vector<double> minus(std::vector<double> times, double delay_us) {
  for (double& time : times) time -= delay_us;
  return times;
}

}  // namespace brownout::bench
