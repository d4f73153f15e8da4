// SPDX-License-Identifier: MIT
// Local time written as if it were UTC. Reported, and the stamps are then not used at all: never shifted silently.
#include <algorithm>

#include "candidates.hpp"
#include "parts.hpp"
#include "samples.hpp"

namespace brownout::findings {
namespace {

constexpr std::int64_t kQuarterHourNs = 900 * kNsPerSecond;
constexpr int kQuarterHours = 4 * 14; // as far as time zones go

// Stamped errors of a network kind that appeared while we looked.
Findings stamped_only(const Findings& findings) {
  Findings stamped = moved(findings, 0);
  std::erase_if(stamped.app_errors, [](const AppErrorFinding& error) {
    return !error.error.utc_ns || !error.network_kind || error.seen_after_ns <= 0;
  });
  return stamped;
}

double matched_when_moved(const events::Evidence& evidence, const Findings& stamped, std::int64_t shift_ns) {
  return static_cast<double>(assign(candidates(evidence, moved(stamped, shift_ns), RecordDelay{})).pairs.size());
}

}  // namespace

void suspect_offset(const events::Evidence& evidence, Findings& findings) {
  const auto stamped = stamped_only(findings);
  const auto n = static_cast<double>(std::min(stamped.app_errors.size(), findings.failures.size()));
  if (n < 3 || matched_when_moved(evidence, stamped, 0) >= 0.2 * n) return;
  for (int quarter = 1; quarter <= kQuarterHours; ++quarter) {
    for (const std::int64_t shift : {quarter * kQuarterHourNs, -quarter * kQuarterHourNs}) {
      if (matched_when_moved(evidence, stamped, shift) < 0.8 * n) continue;
      findings.timestamp_offset_suspected_ns = -shift; // the stamps are that much ahead of UTC
      return;
    }
  }
}

}  // namespace brownout::findings
