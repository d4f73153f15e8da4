// SPDX-License-Identifier: MIT
#include "record_delay.hpp"

#include <algorithm>
#include <cstdlib>

namespace brownout::findings {
namespace {

constexpr std::int64_t kHeapNs = kMatchSlackNs / 2;       // how wide a heap may be
constexpr std::int64_t kLeastSlackNs = kMatchSlackNs / 10;
constexpr std::size_t kLeastPairs = 10;
constexpr double kByChance = 1e-6;                        // that strangers heap as high, at one place
constexpr std::int64_t kDeviations = 5;                   // of the median deviation: all but 1 in 1,000 of a normal one

struct Heap { std::size_t first = 0, count = 0; };

// The place where most differences lie close together; of equal ones that nearest to no delay.
Heap highest_heap(const std::vector<std::int64_t>& sorted) {
  Heap best;
  const auto off_centre = [&sorted](const Heap& heap) {
    return std::llabs(sorted[heap.first] + sorted[heap.first + heap.count - 1]);
  };
  for (std::size_t first = 0, end = 0; first < sorted.size(); ++first) {
    while (end < sorted.size() && sorted[end] - sorted[first] <= kHeapNs) ++end;
    const Heap heap{first, end - first};
    if (heap.count > best.count || (heap.count == best.count && off_centre(heap) < off_centre(best))) best = heap;
  }
  return best;
}

std::int64_t middle_of(std::vector<std::int64_t> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

bool stands_out(std::size_t count, std::size_t all) {
  const double elsewhere = static_cast<double>(all - count) * static_cast<double>(kHeapNs) /
                           static_cast<double>(2 * kMatchReachNs - kHeapNs);
  return count >= kLeastPairs && poisson_tail(count, elsewhere) < kByChance;
}

}  // namespace

std::optional<RecordDelay> find_record_delay(std::vector<std::int64_t> differences) {
  std::ranges::sort(differences);
  const auto heap = highest_heap(differences);
  if (!stands_out(heap.count, differences.size())) return std::nullopt;
  const auto first = differences.begin() + static_cast<std::ptrdiff_t>(heap.first);
  std::vector<std::int64_t> near(first, first + static_cast<std::ptrdiff_t>(heap.count));
  RecordDelay found{.delay_ns = middle_of(near), .pairs = heap.count};
  if (std::llabs(found.delay_ns) > kRecordDelayNs + kLeastSlackNs) return std::nullopt;
  for (auto& difference : near) difference = std::llabs(difference - found.delay_ns);
  found.slack_ns = std::clamp(kDeviations * middle_of(std::move(near)), kLeastSlackNs, kMatchSlackNs);
  return found;
}

}  // namespace brownout::findings
