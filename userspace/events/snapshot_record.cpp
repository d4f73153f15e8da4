// SPDX-License-Identifier: MIT
// fingerprint/snapshots.jsonl. What AppError takes out of an element is not written twice: it is taken out again.
#include "names.hpp"
#include "records.hpp"

namespace brownout::events {
namespace {

OrderedJson encode_optional(const std::optional<std::int64_t>& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

void decode_optional(const Json& record, const char* key, std::optional<std::int64_t>& into, Problem& problem) {
  const auto* found = member(record, key, problem);
  if (found == nullptr || found->is_null()) return;
  decode(*found, into.emplace(), key, problem);
}

OrderedJson encode_errors(const std::vector<AppError>& errors) {
  auto list = OrderedJson::array();
  for (const auto& error : errors) list.push_back({{"index", error.index}, {"error", error.raw}});
  return list;
}

void decode_errors(const Json& record, std::vector<AppError>& into, Problem& problem) {
  const auto* found = member(record, "new_errors", problem);
  if (found == nullptr) return;
  if (!found->is_array()) return problem.report("'new_errors' must be a list");
  for (const auto& element : *found) {
    std::size_t index = 0;
    read(element, "index", index, problem);
    if (const auto* raw = member(element, "error", problem)) into.push_back(app_error(index, *raw));
  }
}

}  // namespace

OrderedJson encode(const Snapshot& snapshot) {
  OrderedJson record;
  record["t_mono_ns"] = snapshot.t_mono_ns;
  record["previous_look_ns"] = snapshot.previous_look_ns;
  record["status"] = encode_name(kSnapshotStatuses, static_cast<std::uint32_t>(snapshot.status));
  record["inode"] = snapshot.inode;
  record["size"] = snapshot.size;
  record["mtime_ns"] = snapshot.mtime_ns;
  record["sha256"] = snapshot.sha256;
  record["api_calls"] = encode_optional(snapshot.api_calls);
  record["orders_sent"] = encode_optional(snapshot.orders_sent);
  record["error_count"] = encode_optional(snapshot.error_count);
  record["counters"] = snapshot.counters;
  record["error_events"] = snapshot.error_events;
  record["errors_passed_over"] = snapshot.errors_passed_over;
  record["new_errors"] = encode_errors(snapshot.new_errors);
  record["rewritten"] = snapshot.rewritten;
  if (!snapshot.problem.empty()) record["problem"] = snapshot.problem;
  if (snapshot.body) record["body"] = *snapshot.body;
  return record;
}

void decode(const Json& record, Snapshot& into, Problem& problem) {
  std::uint32_t status = 0;
  read(record, "t_mono_ns", into.t_mono_ns, problem);
  read(record, "previous_look_ns", into.previous_look_ns, problem);
  decode_name(record, "status", kSnapshotStatuses, status, problem);
  if (status >= kSnapshotStatuses.size()) problem.report("'status' has an unknown value");
  into.status = static_cast<SnapshotStatus>(status);
  read(record, "inode", into.inode, problem);
  read(record, "size", into.size, problem);
  read(record, "mtime_ns", into.mtime_ns, problem);
  read(record, "sha256", into.sha256, problem);
  decode_optional(record, "api_calls", into.api_calls, problem);
  decode_optional(record, "orders_sent", into.orders_sent, problem);
  decode_optional(record, "error_count", into.error_count, problem);
  if (const auto* counters = member(record, "counters", problem)) into.counters = *counters;
  read(record, "error_events", into.error_events, problem);
  read(record, "errors_passed_over", into.errors_passed_over, problem);
  decode_errors(record, into.new_errors, problem);
  read(record, "rewritten", into.rewritten, problem);
  if (record.is_object() && record.contains("problem")) read(record, "problem", into.problem, problem);
  if (record.is_object() && record.contains("body")) read(record, "body", into.body.emplace(), problem);
}

}  // namespace brownout::events
