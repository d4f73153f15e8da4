// SPDX-License-Identifier: MIT
// kernel/latency.jsonl.
#include <algorithm>

#include "names.hpp"
#include "records.hpp"

namespace brownout::events {
namespace {

OrderedJson encode_buckets(const std::vector<LatencyRecord::Bucket>& buckets) {
  auto list = OrderedJson::array();
  for (const auto& [bucket, count] : buckets) list.push_back(OrderedJson::array({bucket, count}));
  return list;
}

void decode_buckets(const Json& record, const char* key, std::vector<LatencyRecord::Bucket>& into, Problem& problem) {
  const auto* found = member(record, key, problem);
  if (found == nullptr) return;
  if (!found->is_array()) return problem.report(fmt::format("'{}' must be a list", key));
  for (const auto& pair : *found) {
    if (!pair.is_array() || pair.size() != 2)
      return problem.report(fmt::format("'{}' must be a list of [bucket, count]", key));
    auto& bucket = into.emplace_back();
    decode(pair[0], bucket.bucket, key, problem);
    decode(pair[1], bucket.count, key, problem);
    if (bucket.bucket >= BROWNOUT_HISTOGRAM_BUCKETS)
      return problem.report(fmt::format("'{}' has a bucket that does not exist", key));
  }
}

bool same_line(const LatencyRecord& one, const LatencyRecord& other) {
  return one.destination == other.destination && one.target == other.target && one.phase == other.phase;
}

}  // namespace

OrderedJson encode(const LatencyRecord& latency) {
  OrderedJson record;
  record["destination"] = latency.destination ? OrderedJson(*latency.destination) : OrderedJson(nullptr);
  record["target"] = latency.target;
  record["phase"] = encode_name(kPhases, latency.phase);
  record["first"] = encode_buckets(latency.first);
  record["last"] = encode_buckets(latency.last);
  return record;
}

void decode(const Json& record, LatencyRecord& into, Problem& problem) {
  if (const auto* destination = member(record, "destination", problem); destination != nullptr && !destination->is_null())
    decode(*destination, into.destination.emplace(), "destination", problem);
  read(record, "target", into.target, problem);
  decode_name(record, "phase", kPhases, into.phase, problem);
  decode_buckets(record, "first", into.first, problem);
  decode_buckets(record, "last", into.last, problem);
}

std::vector<LatencyRecord> latency_records(const std::vector<kernel::DestinationLatency>& found) {
  std::vector<LatencyRecord> records;
  for (const auto& histogram : found) {
    LatencyRecord record{.target = histogram.target, .phase = histogram.phase};
    if (const auto& destination = histogram.destination)
      record.destination = endpoint(destination->address, destination->port);
    auto known = std::ranges::find_if(records, [&](const auto& other) { return same_line(record, other); });
    if (known == records.end()) known = records.insert(records.end(), std::move(record));
    auto& buckets = histogram.latency == BROWNOUT_LATENCY_FIRST ? known->first : known->last;
    for (const auto& [bucket, count] : histogram.counts) buckets.push_back({bucket, count});
  }
  return records;
}

}  // namespace brownout::events
