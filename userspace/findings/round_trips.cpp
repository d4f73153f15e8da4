// SPDX-License-Identifier: MIT
#include <algorithm>

#include "parts.hpp"

namespace brownout::findings {
namespace {

// Samples come once a second and at the edges of phases: a rate over less would say more of their spacing than of calls.
constexpr std::int64_t kShortestBinNs = 900'000'000;
constexpr std::uint32_t kOurs = BROWNOUT_EVENT_APP | BROWNOUT_EVENT_HIT;

}  // namespace

std::vector<std::size_t> bin_edges(const events::Evidence& evidence) {
  const auto& samples = evidence.counters;
  if (samples.size() < 2) return {};
  const auto length = samples.back().t_mono_ns - samples.front().t_mono_ns;
  const auto shortest = std::max(kShortestBinNs, length / static_cast<std::int64_t>(kMostBins));
  std::vector<std::size_t> edges{0};
  for (std::size_t i = 1; i < samples.size(); ++i)
    if (samples[i].t_mono_ns - samples[edges.back()].t_mono_ns >= shortest) edges.push_back(i);
  if (edges.size() > 1) edges.back() = samples.size() - 1; // what is left over belongs to the last
  return edges.size() > 1 ? edges : std::vector<std::size_t>{};
}

RoundTripFold::RoundTripFold(const events::Evidence& evidence) {
  for (const auto edge : bin_edges(evidence)) ends_ns_.push_back(evidence.counters[edge].t_mono_ns);
  if (!ends_ns_.empty()) bins_.resize(ends_ns_.size() - 1);
}

void RoundTripFold::take(const brownout_event& event) {
  if (event.srtt_us == 0 || (event.flags & kOurs) != kOurs) return;
  const auto end = std::ranges::lower_bound(ends_ns_, static_cast<std::int64_t>(event.t_mono_ns));
  if (end == ends_ns_.begin() || end == ends_ns_.end()) return;
  bins_[static_cast<std::size_t>(end - ends_ns_.begin()) - 1].add(
      static_cast<std::uint32_t>(kernel::histogram_bucket(event.srtt_us)), 1);
}

std::vector<RoundTrip> RoundTripFold::finish() const {
  std::vector<RoundTrip> all;
  all.reserve(bins_.size());
  for (const auto& bin : bins_) all.push_back({bin.quantile_ms(0.5), bin.quantile_ms(0.95)});
  return all;
}

}  // namespace brownout::findings
