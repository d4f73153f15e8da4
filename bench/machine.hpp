// SPDX-License-Identifier: MIT
// On what a figure was taken, and what it cost.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

namespace brownout::bench {

nlohmann::json machine();

// Of the whole machine since it was made.
class CpuMeter {
 public:
  CpuMeter();
  double busy_share() const;   // 0..1, of all CPUs
  double process_s() const;    // CPU seconds of this process, all threads

 private:
  struct Reading {
    double busy = 0, all = 0, process_s = 0;
  };
  static Reading read();
  Reading start_;
};

double median(std::vector<double> values);
double quantile(const std::vector<double>& sorted, double q);  // 0 when empty

}  // namespace brownout::bench
