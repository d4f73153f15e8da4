// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "brownout/events.hpp"

namespace brownout::findings {

// Latencies as the kernel counts them: how many in each bucket.
class LatencyHistogram {
 public:
  void add(const events::CounterSample& sample, std::uint32_t phase);
  void add(std::uint32_t bucket, std::uint64_t count);
  std::uint64_t count() const { return count_; }
  // Midpoint of the bucket that holds the nearest-rank quantile, in ms.
  std::optional<double> quantile_ms(double q) const;

 private:
  std::map<std::uint32_t, std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
};

}  // namespace brownout::findings
