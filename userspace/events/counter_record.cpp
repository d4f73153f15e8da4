// SPDX-License-Identifier: MIT
// kernel/counters.jsonl.
#include "names.hpp"
#include "records.hpp"

namespace brownout::events {
namespace {

template <typename Map>
OrderedJson encode_map(const Map& map) {
  auto object = OrderedJson::object();
  for (const auto& [name, value] : map) object.emplace(name, value);
  return object;
}

void decode_map(const Json& record, const char* key, std::map<std::string, std::uint64_t>& into, Problem& problem) {
  const auto* found = member(record, key, problem);
  if (found == nullptr) return;
  if (!found->is_object()) return problem.report(fmt::format("'{}' must be an object", key));
  for (const auto& [name, value] : found->items()) decode(value, into[name], key, problem);
}

template <typename List>
OrderedJson encode_list(const List& values) {
  auto list = OrderedJson::array();
  for (const auto& value : values) list.push_back(encode(value));
  return list;
}

void decode_faults(const Json& record, std::vector<brownout_fault_counters>& into, Problem& problem) {
  const auto* found = member(record, "faults", problem);
  if (found == nullptr) return;
  if (!found->is_array()) return problem.report("'faults' must be a list");
  for (const auto& value : *found) decode(value, into.emplace_back(), "faults", problem);
}

template <typename Value>
void decode_pair(const Json& record, const char* key, std::array<Value, BROWNOUT_DIRECTIONS>& into, Problem& problem) {
  const auto* found = member(record, key, problem);
  if (found == nullptr) return;
  if (!found->is_array() || found->size() != into.size())
    return problem.report(fmt::format("'{}' must be a list of {}", key, into.size()));
  for (std::size_t i = 0; i < into.size(); ++i) decode((*found)[i], into[i], key, problem);
}

OrderedJson encode_histogram(const std::vector<CounterSample::Bucket>& histogram) {
  auto list = OrderedJson::array();
  for (const auto& [phase, bucket, count] : histogram)
    list.push_back(OrderedJson::array({encode_name(kPhases, phase), bucket, count}));
  return list;
}

void decode_histogram(const Json& record, std::vector<CounterSample::Bucket>& into, Problem& problem) {
  const auto* found = member(record, "histogram", problem);
  if (found == nullptr) return;
  if (!found->is_array()) return problem.report("'histogram' must be a list");
  for (const auto& triple : *found) {
    if (!triple.is_array() || triple.size() != 3)
      return problem.report("'histogram' must be a list of [phase, bucket, count]");
    auto& bucket = into.emplace_back();
    decode_name(Json{{"histogram", triple[0]}}, "histogram", kPhases, bucket.phase, problem);
    decode(triple[1], bucket.bucket, "histogram", problem);
    decode(triple[2], bucket.count, "histogram", problem);
    if (bucket.phase >= BROWNOUT_PHASES || bucket.bucket >= BROWNOUT_HISTOGRAM_BUCKETS)
      return problem.report("'histogram' has a phase or bucket that does not exist");
  }
}

}  // namespace

const std::vector<std::string> kSnmpNames{
    "Tcp.ActiveOpens", "Tcp.AttemptFails", "Tcp.EstabResets", "Tcp.InSegs", "Tcp.OutRsts", "Tcp.OutSegs",
    "Tcp.RetransSegs", "TcpExt.TCPAbortOnClose", "TcpExt.TCPAbortOnData", "TcpExt.TCPAbortOnTimeout",
    "TcpExt.TCPLossProbes", "TcpExt.TCPLostRetransmit", "TcpExt.TCPSpuriousRTOs", "TcpExt.TCPSynRetrans", "TcpExt.TCPTimeouts",
    "Udp.InDatagrams", "Udp.OutDatagrams"};

const std::vector<std::string> kSnmpNamesBefore{
    "Tcp.AttemptFails", "Tcp.EstabResets", "Tcp.OutRsts", "Tcp.RetransSegs", "TcpExt.TCPAbortOnTimeout",
    "TcpExt.TCPLossProbes", "TcpExt.TCPTimeouts"};

OrderedJson encode(const CounterSample& sample) {
  OrderedJson record;
  record["t_mono_ns"] = sample.t_mono_ns;
  record["phase"] = encode_name(kPhases, sample.phase);
  record["snmp_before"] = encode_map(sample.snmp_before);
  record["trace"] = encode(sample.trace);
  if (sample.injecting) {
    record["inject"] = encode(sample.inject);
    record["faults"] = encode_list(sample.faults);
    record["line"] = encode_list(sample.line);
    record["delays"] = encode_list(sample.delays);
    if (sample.capture) record["capture"] = encode(*sample.capture);
  }
  record["host_device"] = encode(sample.host_device);
  record["container_device"] = encode(sample.container_device);
  if (sample.has_drop_witness) record["drop_witness"] = encode_map(sample.drop_witness);
  record["snmp"] = encode_map(sample.snmp);
  record["histogram"] = encode_histogram(sample.histogram);
  return record;
}

void decode(const Json& record, CounterSample& into, Problem& problem) {
  read(record, "t_mono_ns", into.t_mono_ns, problem);
  decode_name(record, "phase", kPhases, into.phase, problem);
  decode_map(record, "snmp_before", into.snmp_before, problem);
  read(record, "trace", into.trace, problem);
  into.injecting = record.is_object() && record.contains("inject");
  if (into.injecting) {
    read(record, "inject", into.inject, problem);
    decode_faults(record, into.faults, problem);
    decode_pair(record, "line", into.line, problem);
    decode_pair(record, "delays", into.delays, problem);
    if (record.contains("capture")) read(record, "capture", into.capture.emplace(), problem);
  }
  read(record, "host_device", into.host_device, problem);
  read(record, "container_device", into.container_device, problem);
  into.has_drop_witness = record.is_object() && record.contains("drop_witness");
  if (into.has_drop_witness) decode_map(record, "drop_witness", into.drop_witness, problem);
  decode_map(record, "snmp", into.snmp, problem);
  decode_histogram(record, into.histogram, problem);
}

}  // namespace brownout::events
