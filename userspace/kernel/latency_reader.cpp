// SPDX-License-Identifier: MIT
#include "latency_reader.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <cstring>

namespace brownout::kernel {
namespace {

bool same(const DestinationLatency& one, const DestinationLatency& other) {
  const auto bytes_equal = [&] {
    return std::memcmp(&*one.destination, &*other.destination, sizeof(brownout_destination)) == 0;
  };
  return one.target == other.target && one.phase == other.phase && one.latency == other.latency &&
         one.destination.has_value() == other.destination.has_value() && (!one.destination || bytes_equal());
}

}  // namespace

Result<LatencyReader> LatencyReader::open(const trace_bpf& object) {
  BROWNOUT_ASSIGN(auto counts, MappedArray<std::uint64_t>::map(bpf_map__fd(object.maps.latencies),
                                                               BROWNOUT_LATENCY_COUNTS, "the histograms of calls"));
  return LatencyReader{std::move(counts), bpf_map__fd(object.maps.destination_slots)};
}

// Slots are given out in order, and never back.
std::vector<brownout_destination> LatencyReader::slots() const {
  std::vector<brownout_destination> all{{.index = 0}, {.index = 1}};
  for (std::uint32_t slot = BROWNOUT_DESTINATION_FIRST; slot < BROWNOUT_DESTINATIONS; ++slot) {
    brownout_destination destination{};
    if (bpf_map_lookup_elem(slots_fd_, &slot, &destination) != 0) break;
    all.push_back(destination);
  }
  return all;
}

std::span<const std::uint64_t> LatencyReader::row(std::size_t slot, std::size_t phase, std::size_t latency) const {
  const auto index = (slot * BROWNOUT_PHASES + phase) * BROWNOUT_LATENCIES + latency;
  return counts_.all().subspan(index * BROWNOUT_HISTOGRAM_BUCKETS, BROWNOUT_HISTOGRAM_BUCKETS);
}

void LatencyReader::add_up(Histogram& into) const {
  const auto destinations = slots();
  for (std::size_t slot = 0; slot < destinations.size(); ++slot) {
    if (destinations[slot].index != 1) continue;
    for (std::size_t phase = 0; phase < BROWNOUT_PHASES; ++phase)
      std::ranges::transform(into.counts[phase], row(slot, phase, BROWNOUT_LATENCY_FIRST), into.counts[phase].begin(),
                             std::plus{});
  }
}

std::vector<DestinationLatency> LatencyReader::all() const {
  std::vector<DestinationLatency> histograms;
  const auto destinations = slots();
  const auto add = [&](std::size_t slot, std::size_t phase, std::size_t latency) {
    DestinationLatency found{.destination = destinations[slot],
                           .target = destinations[slot].index == 1,
                           .phase = static_cast<brownout_phase>(phase),
                           .latency = static_cast<brownout_latency>(latency)};
    if (slot < BROWNOUT_DESTINATION_FIRST) found.destination.reset();
    const auto counts = row(slot, phase, latency);
    for (std::uint32_t bucket = 0; bucket < counts.size(); ++bucket)
      if (counts[bucket] != 0) found.counts[bucket] = counts[bucket];
    if (found.counts.empty()) return;
    const auto known = std::ranges::find_if(histograms, [&](const auto& other) { return same(found, other); });
    if (known == histograms.end()) return histograms.push_back(std::move(found));
    for (const auto& [bucket, count] : found.counts) known->counts[bucket] += count;
  };
  for (std::size_t slot = 0; slot < destinations.size(); ++slot)
    for (std::size_t phase = 0; phase < BROWNOUT_PHASES; ++phase)
      for (const auto latency : {BROWNOUT_LATENCY_FIRST, BROWNOUT_LATENCY_LAST}) add(slot, phase, latency);
  return histograms;
}

}  // namespace brownout::kernel
