// SPDX-License-Identifier: MIT
#include "edt_backend.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <span>

#include "netns.hpp"

namespace brownout::kernel {
namespace {

constexpr double kBurst = 8;  // times the rate that was seen before
constexpr double kFewestPackets = 1 << 16, kMostPackets = 1 << 20;
constexpr std::chrono::seconds kHorizonSlack{1};
constexpr std::chrono::milliseconds kDrainSlack{500};

struct Quantiles {
  std::uint64_t p50 = 0, p99 = 0, max = 0;
};

Quantiles quantiles_of(std::span<const __u64> counts) {
  std::uint64_t total = 0, seen = 0;
  for (const auto count : counts) total += count;
  Quantiles found;
  bool have50 = false, have99 = false;
  for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) {
    if (counts[bucket] == 0) continue;
    seen += counts[bucket];
    found.max = histogram_bucket_low_us(bucket);
    if (!std::exchange(have50, have50 || seen * 2 >= total) && have50) found.p50 = found.max;
    if (!std::exchange(have99, have99 || seen * 100 >= total * 99) && have99) found.p99 = found.max;
  }
  return found;
}

Quantiles quantiles_of(const bpf_map* histograms, brownout_delay_figure figure, std::size_t direction) {
  const auto index = static_cast<std::uint32_t>(figure * BROWNOUT_DIRECTIONS + direction);
  const auto sums = sum_over_cpus<brownout_delay_histogram>(bpf_map__fd(histograms), index);
  return quantiles_of(std::span{sums.counts});
}

}  // namespace

FqLimits fq_limits_for(std::chrono::nanoseconds longest, double packets_per_second) {
  const double seconds = std::chrono::duration<double>(longest).count();
  const double packets = std::clamp(packets_per_second * seconds * kBurst, kFewestPackets, kMostPackets);
  return {.packets = static_cast<std::uint32_t>(std::lround(packets)),
          .horizon = std::chrono::duration_cast<std::chrono::microseconds>(longest + kHorizonSlack)};
}

nlohmann::json fq_description(std::chrono::nanoseconds longest, double packets_per_second) {
  const FqLimits limits = fq_limits_for(longest, packets_per_second);
  return {{"limit_packets", limits.packets},
          {"flow_limit_packets", limits.packets},
          {"horizon_us", limits.horizon.count()},
          {"sized_for_packets_per_second", packets_per_second},
          {"sized_for_delay_ns", longest.count()}};
}

Result<> EdtBackend::open(inject_bpf& skeleton, double packets_per_second) {
  skeleton_ = &skeleton;
  packets_per_second_ = packets_per_second;
  const FqLimits limits = fq_limits_for(config_.longest_delay, packets_per_second);
  BROWNOUT_ASSIGN(netns_, make_netns());
  open_ = true;
  std::uint32_t gso_max = std::numeric_limits<std::uint32_t>::max(), gso_types = gso_max;
  for (std::size_t direction = 0; direction < BROWNOUT_DIRECTIONS; ++direction) {
    auto& lane = lanes_[direction];
    BROWNOUT_ASSIGN(lane, EdtLane::make({.hook = config_.hook, .direction = direction, .netns = netns_, .limits = limits}));
    skeleton.bss->edt_ifindex[direction] = static_cast<std::uint32_t>(lane.ifindex());
    gso_max = std::min(gso_max, lane.gso_max());
    gso_types &= lane.gso_types();
    BROWNOUT_TRY(lane.attach(skeleton, netns_));
  }
  skeleton.bss->line_gso_types = gso_types;
  skeleton.bss->line_gso_max = gso_max;
  // No thread serves these queues, and so none can hang: the drill's own beat is what counts.
  set_beat(std::numeric_limits<std::uint64_t>::max());
  return {};
}

void EdtBackend::set_beat(std::uint64_t value) {
  for (auto& beat : config_.control->line_heartbeat_boot_ns)
    std::atomic_ref{beat}.store(value, std::memory_order_release);
}

bool EdtBackend::drained(const brownout_inject_counters& sent) const {
  if (!open_) return true;
  return std::ranges::all_of(std::array{BROWNOUT_EGRESS, BROWNOUT_INGRESS}, [&](brownout_direction direction) {
    const auto line = read(direction, sent);
    return sent.redirected[direction].packets <= line.reinjected + line.overflow + line.device_drops;
  });
}

std::chrono::nanoseconds EdtBackend::drain_limit() const { return config_.longest_delay + kDrainSlack; }

Result<> EdtBackend::close_inlet() {
  if (open_) set_beat(0);
  return {};
}

Result<> EdtBackend::close() {
  if (!open_) return {};
  open_ = false;
  Result<> outcome;
  for (auto& lane : lanes_)
    if (auto removed = lane.remove(); !removed && outcome) outcome = std::move(removed);
  lanes_ = {};
  netns_.reset();
  return outcome;
}

LineCounters EdtBackend::read(std::size_t direction, const brownout_inject_counters& sent) const {
  LineCounters line;
  line.reinjected = sent.reinjected[direction].packets;
  if (const auto state = lanes_[direction].state()) {
    line.held = state->queue.held;
    line.held_bytes = state->queue.held_bytes;
    line.overflow = state->queue.drops;
    line.device_drops = state->device_drops;
  }
  line.received = line.reinjected + line.held + line.overflow;
  return line;
}

std::array<LineCounters, BROWNOUT_DIRECTIONS> EdtBackend::counters(const brownout_inject_counters& sent) const {
  if (!open_) return last_;
  std::array<LineCounters, BROWNOUT_DIRECTIONS> lines{};
  const bpf_map* histograms = skeleton_->maps.delay_histograms;
  for (std::size_t direction = 0; direction < BROWNOUT_DIRECTIONS; ++direction) {
    lines[direction] = read(direction, sent);
    const auto lateness = quantiles_of(histograms, BROWNOUT_DELAY_LATE, direction);
    lines[direction].late_p50_us = lateness.p50;
    lines[direction].late_p99_us = lateness.p99;
    lines[direction].late_max_us = lateness.max;
    lines[direction].hold_p50_us = quantiles_of(histograms, BROWNOUT_DELAY_HELD, direction).p50;
  }
  // One figure for the device of both directions, as with the delay line.
  lines[0].device_drops += std::exchange(lines[1].device_drops, 0);
  return lines;
}

void EdtBackend::append_objects(ObjectIds& ids) const {
  for (const auto& lane : lanes_) lane.append_objects(ids);
}

nlohmann::json EdtBackend::description() const {
  auto devices = nlohmann::json::array();
  for (const auto& lane : lanes_) devices.push_back({{"device", lane.device()}, {"ifindex", lane.ifindex()}});
  return {{"devices", devices}, {"fq", fq_description(config_.longest_delay, packets_per_second_)}};
}

}  // namespace brownout::kernel
