// SPDX-License-Identifier: MIT
// Finding one's way in the per-second samples.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "brownout/clock.hpp"
#include "brownout/findings.hpp"
#include "brownout/latency_histogram.hpp"

namespace brownout::findings {

inline constexpr int kHit = 1; // index of the pairs in brownout_trace_counters

std::optional<events::Window> window_of(const events::Evidence& evidence, std::uint32_t phase);
inline bool contains(const events::Window& window, std::int64_t t_ns) {
  return t_ns >= window.start_ns && t_ns < window.end_ns;
}

// The sample nearest to that time; nullptr: there are none.
const events::CounterSample* nearest(const events::Evidence& evidence, std::int64_t t_ns);
const events::CounterSample* last_at_or_before(const events::Evidence& evidence, std::int64_t t_ns);

// First and last sample of the window with the injector's counters. The last is taken before the drain, in which loss
// is off while packets are still matched.
struct Span { const events::CounterSample* first = nullptr; const events::CounterSample* last = nullptr; };
Span injecting_span(const events::Evidence& evidence);
// The samples nearest to the window's edges.
Span edges(const events::Evidence& evidence, const events::Window& window);

inline std::uint64_t growth(std::uint64_t from, std::uint64_t to) { return to > from ? to - from : 0; }
std::uint64_t snmp_growth(const Span& span, const std::string& name);
bool has_snmp(const Span& span, const std::string& name);
std::uint64_t in_flight(const events::CounterSample& sample);

// Histogram growth of one phase, added up over the samples in (after_ns, until_ns].
LatencyHistogram histogram_of(const events::Evidence& evidence, std::uint32_t phase,
                              std::int64_t after_ns = INT64_MIN, std::int64_t until_ns = INT64_MAX);

std::int64_t call_start_ns(const brownout_event& event);
std::optional<double> median(std::vector<double> values);

}  // namespace brownout::findings
