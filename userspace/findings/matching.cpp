// SPDX-License-Identifier: MIT
// Which app error belongs to which kernel failure: one to one, as many as can be, with the least difference in time.
#include <algorithm>
#include <cmath>

#include "candidates.hpp"
#include "parts.hpp"
#include "record_delay.hpp"

namespace brownout::findings {
namespace {

// Stamp minus failure, of whatever could belong together.
std::vector<std::int64_t> differences(const Findings& findings, const std::vector<Candidate>& all) {
  std::vector<std::int64_t> values;
  for (const auto& [cost, failure, error] : all)
    if (is_stamped(findings.app_errors[error]))
      values.push_back(findings.app_errors[error].earliest_ns - findings.failures[failure].t_mono_ns);
  return values;
}

// What no pair has taken, and has a stamp.
Findings left_over(const Findings& findings, const Assignment& taken) {
  Findings rest = moved(findings, 0);
  for (const auto& [cost, failure, error] : taken.pairs) {
    rest.failures[failure].app_error = error;
    rest.app_errors[error].failure = failure;
  }
  std::erase_if(rest.failures, [](const Failure& failure) { return failure.app_error.has_value(); });
  std::erase_if(rest.app_errors,
                [](const AppErrorFinding& error) { return error.failure.has_value() || !is_stamped(error); });
  return rest;
}

double pairs_when_moved(const events::Evidence& evidence, const Findings& rest, std::int64_t shift_ns) {
  return static_cast<double>(assign(candidates(evidence, moved(rest, shift_ns), RecordDelay{})).pairs.size());
}

// Does what the narrow slack leaves over still pair within the full reach, more often than it does moved to where
// nothing belongs together? Then not all records have that delay, and the reach is needed.
bool leaves_pairs_over(const events::Evidence& evidence, const Findings& findings, const Assignment& narrow) {
  const auto rest = left_over(findings, narrow);
  const double by_chance = (pairs_when_moved(evidence, rest, 2 * kMatchReachNs) +
                            pairs_when_moved(evidence, rest, -2 * kMatchReachNs)) / 2;
  return pairs_when_moved(evidence, rest, 0) > by_chance + 3 * std::sqrt(2 * by_chance) + 3;
}

void pair_up(const Assignment& assignment, Findings& findings) {
  for (const auto& [distance, failure, error] : assignment.pairs) {
    findings.failures[failure].app_error = error;
    findings.app_errors[error].failure = failure;
  }
  findings.components_not_exact = assignment.components_beyond;
}

}  // namespace

void match_app_errors(const events::Evidence& evidence, Findings& findings) {
  suspect_offset(evidence, findings);
  if (findings.timestamp_offset_suspected_ns)
    for (auto& error : findings.app_errors) {
      error.earliest_ns = error.seen_after_ns;
      error.latest_ns = error.seen_ns;
    }
  auto all = candidates(evidence, findings, RecordDelay{});
  if (auto delay = find_record_delay(differences(findings, all))) {
    const auto narrow = assign(candidates(evidence, findings, *delay));
    if (!leaves_pairs_over(evidence, findings, narrow)) {
      findings.record_delay = delay;
      return pair_up(narrow, findings);
    }
  }
  pair_up(assign(std::move(all)), findings);
}

}  // namespace brownout::findings
