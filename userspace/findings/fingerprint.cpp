// SPDX-License-Identifier: MIT
#include "fingerprint.hpp"

#include <algorithm>
#include <string_view>

#include "samples.hpp"

namespace brownout::findings {
namespace {

std::optional<double> to_double(const std::optional<std::int64_t>& value) {
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

// Did the counter ever go down after `from_ns`?
void find_fall(const events::Evidence& evidence, const std::string& pointer, std::int64_t from_ns, Growth& growth) {
  const events::Snapshot* before = nullptr;
  for (const auto& snapshot : evidence.snapshots) {
    const auto value = number_at(snapshot, pointer);
    if (!value) continue;
    if (before != nullptr && snapshot.t_mono_ns > from_ns && *value < *number_at(*before, pointer)) {
      growth.reset = true;
      growth.backwards = !begins_anew(*before, snapshot, pointer);
      return;
    }
    before = &snapshot;
  }
}

// RFC 6901: "~1" is a slash, "~0" a tilde.
std::string unescaped(std::string_view token) {
  std::string text;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool escaped = token[i] == '~' && i + 1 < token.size();
    text.push_back(escaped ? (token[i + 1] == '1' ? '/' : '~') : token[i]);
    if (escaped) ++i;
  }
  return text;
}

double baseline_rate(const events::Evidence& evidence, const std::string& pointer) {
  const auto baseline = window_of(evidence, BROWNOUT_PHASE_BASELINE);
  if (!baseline) return 0;
  const auto start = value_at(evidence, pointer, baseline->start_ns);
  const auto end = value_at(evidence, pointer, baseline->end_ns);
  if (!start.high || !end.low) return 0;
  const double seconds = static_cast<double>(baseline->end_ns - baseline->start_ns) / kNsPerSecond;
  return std::max(0.0, *end.low - *start.high) / seconds;
}

}  // namespace

std::optional<double> number_at(const events::Snapshot& snapshot, const std::string& pointer) {
  if (snapshot.status != events::SnapshotStatus::kRead) return std::nullopt;
  if (pointer == "/api_calls") return to_double(snapshot.api_calls);
  if (pointer == "/orders_sent") return to_double(snapshot.orders_sent);
  if (pointer == "/error_count") return to_double(snapshot.error_count);
  if (pointer.empty() || pointer.front() != '/') return std::nullopt;
  const nlohmann::json* value = &snapshot.counters;
  for (std::size_t at = 1; at <= pointer.size();) {
    const auto end = std::min(pointer.find('/', at), pointer.size());
    const auto token = unescaped(std::string_view(pointer).substr(at, end - at));
    if (!value->is_object() || !value->contains(token)) return std::nullopt;
    value = &value->at(token);
    at = end + 1;
  }
  return value->is_number() ? std::optional(value->get<double>()) : std::nullopt;
}

bool begins_anew(const events::Snapshot& before, const events::Snapshot& now, const std::string& pointer) {
  const auto was = number_at(before, pointer), is = number_at(now, pointer);
  if (was && is && *is * 2 <= *was) return true;
  for (const std::string total : {"/api_calls", "/orders_sent", "/error_count"}) {
    const auto from = number_at(before, total), to = number_at(now, total);
    if (total != pointer && from && to && *to < *from) return true;
  }
  return false;
}

std::optional<double> last_value(const events::Evidence& evidence, const std::string& pointer, std::int64_t t_ns) {
  std::optional<double> last;
  for (const auto& snapshot : evidence.snapshots)
    if (snapshot.t_mono_ns <= t_ns)
      if (const auto value = number_at(snapshot, pointer)) last = value;
  return last;
}

Bounds value_at(const events::Evidence& evidence, const std::string& pointer, std::int64_t t_ns) {
  Bounds bounds;
  bool unclear = true; // the file has changed, or may have, since the version that `low` is of
  for (const auto& snapshot : evidence.snapshots) {
    const auto value = number_at(snapshot, pointer);
    if (snapshot.t_mono_ns <= t_ns) {
      if (value) bounds.low = bounds.high = value;
      unclear = !value;
      continue;
    }
    if (snapshot.previous_look_ns < t_ns) unclear = true;
    if (!unclear) break;
    if (!value) continue;
    bounds.high = value;
    break;
  }
  return bounds;
}

// Calls that start in the window may be written down after it, and calls from before it while it lasts: the lower
// bound takes the window alone, the upper one everything up to the end of sampling.
Growth window_growth(const events::Evidence& evidence, const std::string& pointer) {
  Growth growth;
  const auto window = window_of(evidence, BROWNOUT_PHASE_INJECT);
  if (!window) return growth;
  growth.baseline_per_second = baseline_rate(evidence, pointer);
  const auto start = value_at(evidence, pointer, window->start_ns);
  const auto end = value_at(evidence, pointer, window->end_ns);
  const auto settled = value_at(evidence, pointer, INT64_MAX);
  growth.at_start = start.low;
  growth.at_end = settled.high;
  find_fall(evidence, pointer, window->start_ns, growth);
  if (growth.reset || !settled.high) return growth;
  growth.upper = std::max(0.0, *settled.high - start.low.value_or(0));
  growth.lower = end.low && start.high ? std::max(0.0, *end.low - *start.high) : 0;
  return growth;
}

}  // namespace brownout::findings
