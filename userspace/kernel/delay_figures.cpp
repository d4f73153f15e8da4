// SPDX-License-Identifier: MIT
#include "delay_figures.hpp"

#include <numeric>

#include "bpf_objects.hpp"

namespace brownout::kernel {
namespace {

std::uint64_t total(const brownout_delay_histogram& histogram) {
  return std::accumulate(std::begin(histogram.counts), std::end(histogram.counts), std::uint64_t{0});
}

// The smallest value that at least this share of the packets does not exceed; 0 when there are none.
std::uint64_t quantile(const brownout_delay_histogram& histogram, std::uint64_t packets, double share) {
  const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(packets));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < BROWNOUT_HISTOGRAM_BUCKETS; ++i)
    if ((seen += histogram.counts[i]) > wanted) return histogram_bucket_low_us(i);
  return 0;
}

std::uint64_t largest(const brownout_delay_histogram& histogram) {
  for (std::size_t i = BROWNOUT_HISTOGRAM_BUCKETS; i > 0; --i)
    if (histogram.counts[i - 1] != 0) return histogram_bucket_low_us(i - 1);
  return 0;
}

}  // namespace

DelayFigures delay_figures_of(const brownout_delay_histogram& decided, const brownout_delay_histogram& order) {
  const std::uint64_t packets = total(decided), ordered = total(order);
  return {.packets = packets,
          .decided_p50_us = quantile(decided, packets, 0.5),
          .decided_p99_us = quantile(decided, packets, 0.99),
          .decided_max_us = largest(decided),
          .order_held = ordered - order.counts[0],
          .order_p50_us = quantile(order, ordered, 0.5),
          .order_p99_us = quantile(order, ordered, 0.99),
          .order_max_us = largest(order)};
}

std::array<DelayFigures, BROWNOUT_DIRECTIONS> read_delay_figures(int map_fd) {
  const auto read = [map_fd](std::uint32_t figure, std::uint32_t direction) {
    return sum_over_cpus<brownout_delay_histogram>(map_fd, figure * BROWNOUT_DIRECTIONS + direction);
  };
  std::array<DelayFigures, BROWNOUT_DIRECTIONS> figures;
  for (std::uint32_t direction = 0; direction < BROWNOUT_DIRECTIONS; ++direction)
    figures[direction] =
        delay_figures_of(read(BROWNOUT_DELAY_DECIDED, direction), read(BROWNOUT_DELAY_ORDER, direction));
  return figures;
}

}  // namespace brownout::kernel
