// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "brownout/clock.hpp"
#include "html_sections.hpp"

namespace brownout::bundle {
namespace {

std::int64_t zero_of(const events::Evidence& evidence) {
  if (const auto found = evidence.windows.find(BROWNOUT_PHASE_INJECT); found != evidence.windows.end())
    return found->second.start_ns;
  if (!evidence.counters.empty()) return evidence.counters.front().t_mono_ns;
  return evidence.timeline.empty() ? 0 : evidence.timeline.front().t_mono_ns;
}

}  // namespace

Axis::Axis(const events::Evidence& evidence)
    : evidence_(evidence), edges_(findings::bin_edges(evidence)), zero_ns_(zero_of(evidence)) {}

double Axis::second(std::int64_t t_mono_ns) const {
  return std::round(static_cast<double>(t_mono_ns - zero_ns_) / 1e6) / 1e3;
}

double Axis::seconds(std::size_t bin) const {
  return static_cast<double>(end(bin).t_mono_ns - start(bin).t_mono_ns) / 1e9;
}

std::vector<std::uint64_t> Axis::count(const std::vector<std::int64_t>& times) const {
  std::vector<std::uint64_t> counts(bins());
  if (counts.empty()) return counts;
  for (const auto t : times) {
    const auto end = std::ranges::lower_bound(edges_.begin() + 1, edges_.end() - 1, t, {},
                                              [this](std::size_t edge) { return evidence_.counters[edge].t_mono_ns; });
    ++counts[static_cast<std::size_t>(end - edges_.begin()) - 1];
  }
  return counts;
}

nlohmann::ordered_json html_axis(const ReportInputs& inputs, const Axis& axis) {
  nlohmann::ordered_json phases = nlohmann::ordered_json::array();
  for (const auto& [phase, window] : inputs.evidence.windows)
    phases.push_back({{"phase", events::phase_name(phase)},
                      {"start", axis.second(window.start_ns)},
                      {"end", axis.second(window.end_ns)},
                      {"complete", window.complete}});
  const auto utc_ns = events::to_realtime_ns(inputs.evidence, axis.zero_ns());
  return {{"zero_utc", format_utc(utc_ns)},
          {"zero_ms", utc_ns / 1'000'000},
          {"injected", inputs.evidence.windows.contains(BROWNOUT_PHASE_INJECT)},
          {"phases", phases}};
}

}  // namespace brownout::bundle
