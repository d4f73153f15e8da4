// SPDX-License-Identifier: MIT
// The user-space half of the log-linear histogram; bpf/lib/histogram.h is the other, and a test holds them together.
#include <algorithm>
#include <bit>

#include "brownout/kernel.hpp"

namespace brownout::kernel {

std::size_t histogram_bucket(std::uint64_t microseconds) {
  if (microseconds < BROWNOUT_HISTOGRAM_SUB) return microseconds;
  const auto shift = static_cast<std::size_t>(std::bit_width(microseconds)) - 1 - BROWNOUT_HISTOGRAM_SHIFT;
  if (shift + 1 >= BROWNOUT_HISTOGRAM_OCTAVES) return BROWNOUT_HISTOGRAM_BUCKETS - 1;
  return (shift + 1) * BROWNOUT_HISTOGRAM_SUB + (microseconds >> shift) - BROWNOUT_HISTOGRAM_SUB;
}

std::uint64_t histogram_bucket_low_us(std::size_t bucket) {
  bucket = std::min<std::size_t>(bucket, BROWNOUT_HISTOGRAM_BUCKETS - 1);
  const std::size_t octave = bucket / BROWNOUT_HISTOGRAM_SUB;
  const std::uint64_t sub = bucket % BROWNOUT_HISTOGRAM_SUB;
  return octave == 0 ? sub : (BROWNOUT_HISTOGRAM_SUB + sub) << (octave - 1);
}

}  // namespace brownout::kernel
