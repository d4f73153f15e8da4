// SPDX-License-Identifier: MIT
// The delays that a plan decides, recomputed in user space from what the bundle records.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <vector>

#include "brownout/abi/random.h"
#include "brownout/plan.hpp"

namespace brownout::test {

inline std::uint64_t flow_state_of(std::uint64_t seed, const brownout_flow_key& key, std::uint64_t direction) {
  __u64 words[BROWNOUT_FLOW_KEY_WORDS];
  std::memcpy(words, &key, sizeof words);
  return brownout_flow_state(seed, words, direction);
}

// Of one fault; below zero: to be clamped.
inline std::int64_t decided_delay(const plan::Plan& plan, std::size_t fault, std::uint64_t flow_state,
                                  std::uint64_t n) {
  const brownout_fault& abi = plan.faults.at(fault).abi;
  const auto draw = brownout_correlated_draw(flow_state, n, fault, abi.reuse_threshold);
  if (abi.distribution == 0) return static_cast<std::int64_t>(brownout_delay(draw, abi.delay_ns, abi.jitter_ns));
  const auto& values = plan.tables.at(abi.distribution - 1).values;
  return brownout_table_delay(values[draw % values.size()], abi.delay_ns, abi.jitter_ns);
}

// The largest distance between the samples' distribution function and that of a table whose entries are equally likely.
inline double distance_to_table(const std::vector<std::int64_t>& samples, const std::vector<std::int64_t>& table) {
  std::map<std::int64_t, std::pair<std::size_t, std::size_t>> counts;
  for (const auto value : samples) ++counts[value].first;
  for (const auto value : table) ++counts[value].second;
  double distance = 0;
  std::size_t sampled = 0, expected = 0;
  for (const auto& [value, count] : counts) {
    sampled += count.first;
    expected += count.second;
    distance = std::max(distance, std::fabs(static_cast<double>(sampled) / static_cast<double>(samples.size()) -
                                            static_cast<double>(expected) / static_cast<double>(table.size())));
  }
  return distance;
}

// The same against every value from low to high being equally likely.
inline double distance_to_uniform(std::vector<std::int64_t> samples, std::int64_t low, std::int64_t high) {
  std::ranges::sort(samples);
  const auto n = static_cast<double>(samples.size());
  double distance = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double expected = static_cast<double>(samples[i] - low + 1) / static_cast<double>(high - low + 1);
    distance = std::max({distance, std::fabs(static_cast<double>(i + 1) / n - expected),
                         std::fabs(static_cast<double>(i) / n - expected)});
  }
  return distance;
}

}  // namespace brownout::test
