// SPDX-License-Identifier: MIT
// Log-linear histogram of times: 64 buckets per octave, so that a quantile is within 1/64 of its value.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace brownout::kernel {

class LineHistogram {
 public:
  void add(std::uint64_t nanoseconds) {
    ++counts_[bucket(nanoseconds)];
    ++total_;
    if (nanoseconds > max_) max_ = nanoseconds;
  }
  std::uint64_t max() const { return max_; }
  // Lower bound of the bucket in which the quantile lies; 0 when empty.
  std::uint64_t quantile(double q) const {
    const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if ((seen += counts_[i]) > wanted) return low(i);
    return max_;
  }

 private:
  static constexpr unsigned kShift = 6;
  static constexpr std::uint64_t kSub = std::uint64_t{1} << kShift;

  static std::size_t bucket(std::uint64_t value) {
    if (value < kSub) return value;
    const auto octave = static_cast<unsigned>(std::bit_width(value)) - kShift;  // 1, 2, ...
    return octave * kSub + ((value >> (octave - 1)) - kSub);
  }
  static std::uint64_t low(std::size_t index) {
    if (index < kSub) return index;
    return (kSub + index % kSub) << (index / kSub - 1);
  }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(kSub * (65 - kShift));
  std::uint64_t total_ = 0, max_ = 0;
};

}  // namespace brownout::kernel
