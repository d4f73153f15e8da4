// SPDX-License-Identifier: MIT
// Calls by destination, and what was under way between phases.
#include <netinet/tcp.h>

#include "parts.hpp"
#include "samples.hpp"

namespace brownout::findings {
namespace {

// One walk over the sockets takes far less; the phases that it is made between are seconds.
constexpr std::int64_t kWalkNs = kNsPerSecond / 2;

LatencyHistogram filled(const std::vector<events::LatencyRecord::Bucket>& buckets) {
  LatencyHistogram histogram;
  for (const auto& bucket : buckets) histogram.add(bucket.bucket, bucket.count);
  return histogram;
}

std::vector<std::string> names_of(const std::optional<std::string>& destination, const NameBook& names) {
  brownout_destination parsed{};
  std::uint16_t port = 0;
  if (!destination || !events::parse_endpoint(*destination, parsed.address, port)) return {};
  return names.names_at(events::address_text(parsed.address), port);
}

}  // namespace

void find_destinations(const events::Evidence& evidence, const NameBook& names, Findings& findings) {
  for (const auto& record : evidence.latencies) {
    const auto first = filled(record.first), last = filled(record.last);
    findings.destinations.push_back({.destination = record.destination,
                                     .names = names_of(record.destination, names),
                                     .target = record.target,
                                     .phase = record.phase,
                                     .completed = first.count(),
                                     .ended = last.count(),
                                     .first_p50_ms = first.quantile_ms(0.5),
                                     .first_p95_ms = first.quantile_ms(0.95),
                                     .first_max_ms = first.quantile_ms(1),
                                     .last_p50_ms = last.quantile_ms(0.5),
                                     .last_p95_ms = last.quantile_ms(0.95),
                                     .last_max_ms = last.quantile_ms(1),
                                     .ref = record.ref});
  }
}

// Events come nearly in order: those of one walk are next to each other.
void EdgeFold::take(const brownout_event& event, const events::Where& where) {
  if (event.kind != BROWNOUT_EVENT_IN_FLIGHT) return;
  const auto t_ns = static_cast<std::int64_t>(event.t_mono_ns);
  const auto age_ns = static_cast<std::int64_t>(event.duration_ns);
  if (findings_.edges.empty() || t_ns > findings_.edges.back().t_mono_ns + kWalkNs)
    findings_.edges.push_back({.t_mono_ns = t_ns});
  auto& edge = findings_.edges.back();
  const bool first = edge.connects + edge.calls == 0;
  ++(event.old_state == TCP_SYN_SENT ? edge.connects : edge.calls);
  if (!first && age_ns <= edge.oldest_ns) return;
  edge.oldest_ns = age_ns;
  edge.ref = where();
}

}  // namespace brownout::findings
