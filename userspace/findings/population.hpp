// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "brownout/error.hpp"
#include "brownout/fd.hpp"

namespace brownout::findings {

// Numbers whose exact order statistics are wanted, however many there are: a few are held, the rest waits in a temporary
// file without a name. Not for NaN.
class Population {
 public:
  static constexpr std::size_t kHeld = std::size_t{1} << 14;

  Result<> add(double value);
  std::uint64_t size() const { return written_ + held_.size(); }
  double largest() const { return largest_; } // 0: there are none
  Result<std::optional<double>> median() const; // the lower one of two
  Result<std::uint64_t> count_below(double bound) const;

 private:
  Result<> write_out();
  Result<> for_each(const std::function<void(std::span<const double>)>& take) const;
  Result<double> smallest(std::uint64_t rank) const; // from 0

  std::vector<double> held_;
  UniqueFd file_;
  std::uint64_t written_ = 0;
  double largest_ = 0;
};

}  // namespace brownout::findings
