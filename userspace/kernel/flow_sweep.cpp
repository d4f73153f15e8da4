// SPDX-License-Identifier: MIT
#include "flow_sweep.hpp"

#include <cerrno>
#include <vector>

#include <bpf/bpf.h>

#include "brownout/abi/brownout.h"

namespace brownout::kernel {

namespace {

constexpr std::int64_t kFlowSweepInterval = 1'000'000'000;
// Longer than the longest RTO (120 s): a call that waits on a dead path keeps its flow, and what was injected on it.
constexpr std::int64_t kIdle = 180'000'000'000;
// A crowded table is worse than a short memory.
constexpr std::int64_t kIdleWhenCrowded = 5'000'000'000;
constexpr std::size_t kCrowded = BROWNOUT_MAX_FLOWS / 2;
constexpr __u32 kFlowBatch = 4096;

struct Flows {
  std::vector<brownout_flow_key> keys;
  std::vector<brownout_flow> values;
};

// Batched (5.6): one call for thousands of entries. A batch that does not fit a bucket is asked for again, larger.
Flows read_flows(int map) {
  Flows all;
  __u32 token = 0;
  __u32 batch = kFlowBatch;
  bool first = true;
  for (;;) {
    const std::size_t have = all.keys.size();
    all.keys.resize(have + batch);
    all.values.resize(have + batch);
    __u32 count = batch;
    const int error =
        bpf_map_lookup_batch(map, first ? nullptr : &token, &token, &all.keys[have], &all.values[have], &count, nullptr);
    const int reason = error != 0 ? errno : 0;
    if (reason != 0 && reason != ENOENT) count = 0;
    all.keys.resize(have + count);
    all.values.resize(have + count);
    if (reason == ENOSPC && batch < BROWNOUT_MAX_FLOWS) {
      batch *= 2;
      continue;
    }
    if (reason != 0) return all; // ENOENT: that was the last
    first = false;
  }
}

}  // namespace

std::size_t FlowSweeper::sweep(std::int64_t now_ns) {
  if (now_ns < next_ns_) return 0;
  next_ns_ = now_ns + kFlowSweepInterval;
  const Flows flows = read_flows(map_);
  const std::int64_t idle = flows.keys.size() > kCrowded ? kIdleWhenCrowded : kIdle;
  std::size_t removed = 0;
  for (std::size_t i = 0; i < flows.keys.size(); ++i) {
    if (now_ns - static_cast<std::int64_t>(flows.values[i].last_seen_ns) < idle) continue;
    removed += bpf_map_delete_elem(map_, &flows.keys[i]) == 0 ? 1U : 0U;
  }
  return removed;
}

}  // namespace brownout::kernel
