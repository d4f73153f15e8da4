// SPDX-License-Identifier: MIT
#include <catch2/catch_test_macros.hpp>

#include "brownout/kernel.hpp"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include "../../bpf/lib/histogram.h"

#pragma GCC diagnostic pop

namespace kernel_histogram_test {

using brownout::kernel::histogram_bucket;
using brownout::kernel::histogram_bucket_low_us;

TEST_CASE("histogram: a bucket holds its bounds and is never wider than 1/64 of them") {
  for (std::size_t bucket = 0; bucket + 1 < BROWNOUT_HISTOGRAM_BUCKETS; ++bucket) {
    const auto low = histogram_bucket_low_us(bucket), next = histogram_bucket_low_us(bucket + 1);
    REQUIRE(low < next);
    REQUIRE(histogram_bucket(low) == bucket);
    REQUIRE(histogram_bucket(next - 1) == bucket);
    if (low >= BROWNOUT_HISTOGRAM_SUB) REQUIRE((next - low) * BROWNOUT_HISTOGRAM_SUB <= low);
  }
}

TEST_CASE("histogram: the ends") {
  CHECK(histogram_bucket(0) == 0);
  CHECK(histogram_bucket(63) == 63);
  CHECK(histogram_bucket(64) == 64);
  CHECK(histogram_bucket((std::uint64_t{1} << 31) - 1) == BROWNOUT_HISTOGRAM_BUCKETS - 1);
  CHECK(histogram_bucket(std::uint64_t{1} << 31) == BROWNOUT_HISTOGRAM_BUCKETS - 1);
  CHECK(histogram_bucket(~std::uint64_t{0}) == BROWNOUT_HISTOGRAM_BUCKETS - 1);
  CHECK(histogram_bucket_low_us(BROWNOUT_HISTOGRAM_BUCKETS + 5) ==
        histogram_bucket_low_us(BROWNOUT_HISTOGRAM_BUCKETS - 1));
}

TEST_CASE("histogram: the programs and we put a value into the same bucket") {
  for (std::uint64_t value = 0; value < 20'000; ++value) REQUIRE(histogram_bucket_of(value) == histogram_bucket(value));
  for (int bit = 0; bit < 64; ++bit)
    for (const std::uint64_t near : {-1, 0, 1, 12345}) {
      const std::uint64_t value = (std::uint64_t{1} << bit) + near;
      REQUIRE(histogram_bucket_of(value) == histogram_bucket(value));
    }
}

}  // namespace kernel_histogram_test
