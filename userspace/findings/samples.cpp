// SPDX-License-Identifier: MIT
#include "samples.hpp"

#include <algorithm>
#include <cmath>

namespace brownout::findings {

std::optional<events::Window> window_of(const events::Evidence& evidence, std::uint32_t phase) {
  const auto found = evidence.windows.find(phase);
  if (found == evidence.windows.end() || found->second.end_ns <= found->second.start_ns) return std::nullopt;
  return found->second;
}

const events::CounterSample* nearest(const events::Evidence& evidence, std::int64_t t_ns) {
  const events::CounterSample* best = nullptr;
  for (const auto& sample : evidence.counters)
    if (best == nullptr || std::llabs(sample.t_mono_ns - t_ns) < std::llabs(best->t_mono_ns - t_ns)) best = &sample;
  return best;
}

const events::CounterSample* last_at_or_before(const events::Evidence& evidence, std::int64_t t_ns) {
  const events::CounterSample* best = nullptr;
  for (const auto& sample : evidence.counters)
    if (sample.t_mono_ns <= t_ns) best = &sample;
  return best;
}

Span injecting_span(const events::Evidence& evidence) {
  Span span;
  for (const auto& sample : evidence.counters) {
    if (!sample.injecting) continue;
    if (span.first == nullptr && sample.phase <= BROWNOUT_PHASE_INJECT) span.first = &sample;
    if (sample.phase == BROWNOUT_PHASE_INJECT) span.last = &sample;
  }
  return span;
}

Span edges(const events::Evidence& evidence, const events::Window& window) {
  return {nearest(evidence, window.start_ns), nearest(evidence, window.end_ns)};
}

bool has_snmp(const Span& span, const std::string& name) {
  return span.first != nullptr && span.last != nullptr && span.first->snmp.contains(name) &&
         span.last->snmp.contains(name);
}

std::uint64_t snmp_growth(const Span& span, const std::string& name) {
  return has_snmp(span, name) ? growth(span.first->snmp.at(name), span.last->snmp.at(name)) : 0;
}

std::uint64_t in_flight(const events::CounterSample& sample) {
  // Failed connects count as failed without having started, so that this can be short but never long.
  return growth(sample.trace.calls_completed[kHit] + sample.trace.calls_failed[kHit], sample.trace.calls_started[kHit]);
}

void LatencyHistogram::add(const events::CounterSample& sample, std::uint32_t phase) {
  for (const auto& bucket : sample.histogram)
    if (bucket.phase == phase) add(bucket.bucket, bucket.count);
}

void LatencyHistogram::add(std::uint32_t bucket, std::uint64_t count) {
  buckets_[bucket] += count;
  count_ += count;
}

std::optional<double> LatencyHistogram::quantile_ms(double q) const {
  if (count_ == 0) return std::nullopt;
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (const auto& [bucket, count] : buckets_) {
    seen += count;
    if (seen < rank) continue;
    const auto low = kernel::histogram_bucket_low_us(bucket);
    const auto high = bucket + 1 < BROWNOUT_HISTOGRAM_BUCKETS ? kernel::histogram_bucket_low_us(bucket + 1) : low;
    return (static_cast<double>(low) + static_cast<double>(high)) / 2000;
  }
  return std::nullopt;
}

LatencyHistogram histogram_of(const events::Evidence& evidence, std::uint32_t phase, std::int64_t after_ns,
                              std::int64_t until_ns) {
  LatencyHistogram histogram;
  for (const auto& sample : evidence.counters)
    if (sample.t_mono_ns > after_ns && sample.t_mono_ns <= until_ns) histogram.add(sample, phase);
  return histogram;
}

std::int64_t call_start_ns(const brownout_event& event) {
  return static_cast<std::int64_t>(event.call_start_ns != 0 ? event.call_start_ns
                                                            : event.t_mono_ns - event.duration_ns);
}

std::optional<double> median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace brownout::findings
