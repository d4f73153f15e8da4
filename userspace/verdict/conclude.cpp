// SPDX-License-Identifier: MIT
// What rests on what, and the roll-up.
#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "brownout/verdict.hpp"

namespace brownout::verdict {
namespace {

bool cuts_window(Reason reason) {
  return reason == Reason::kWindowTruncated || reason == Reason::kTargetGone || reason == Reason::kCapReached ||
         reason == Reason::kAborted;
}

// The one of the claim's prerequisites that explains most; nullptr: all hold.
const Check* blocking(const Check& claim, const std::vector<Check>& checks) {
  const auto& table = dependencies();
  const auto found = std::ranges::find(table, family(claim.name), &Dependency::claim);
  if (found == table.end()) return nullptr;
  const Check* worst = nullptr;
  for (const auto& check : checks) {
    if (check.sort != CheckSort::kPrerequisite || check.outcome == Outcome::kPass) continue;
    if (std::ranges::find(found->prerequisites, family(check.name)) == found->prerequisites.end()) continue;
    const bool cut = cuts_window(check.reason);
    if (claim.proven_early && claim.outcome == Outcome::kFail && cut) continue;
    const auto weight = [](const Check& one) { return std::tuple(one.outcome != Outcome::kError, rank(one.reason)); };
    if (worst == nullptr || weight(check) < weight(*worst)) worst = &check;
  }
  return worst;
}

void rest(Check& claim, const std::vector<Check>& prerequisites) {
  const auto* worst = blocking(claim, prerequisites);
  if (worst == nullptr || claim.outcome == Outcome::kError) return;
  claim.outcome = worst->outcome == Outcome::kError ? Outcome::kError : Outcome::kInconclusive;
  claim.reason = worst->reason;
  claim.rests_on = worst->name;
  claim.detail = fmt::format("rests on {}", worst->name);
}

// The deciding one first: those with the verdict's outcome; a prerequisite before the claims that rest on it; among
// equals the reason that explains most.
std::vector<const Check*> by_weight(const Verdict& verdict) {
  std::vector<const Check*> order;
  for (const auto& check : verdict.checks)
    if (check.outcome == verdict.outcome && (check.outcome != Outcome::kPass || check.sort == CheckSort::kClaim))
      order.push_back(&check);
  std::ranges::stable_sort(order, {}, [](const Check* check) {
    return std::tuple(!check->rests_on.empty(), rank(check->reason));
  });
  return order;
}

}  // namespace

std::string_view family(std::string_view check_name) {
  auto stem = check_name.substr(0, check_name.find(':'));
  const auto last = stem.find_last_not_of("0123456789");
  if (last != std::string_view::npos && last + 1 < stem.size() && stem[last] == ' ')
    stem = stem.substr(0, last);
  return stem;
}

const std::vector<Dependency>& dependencies() {
  static const std::vector<Dependency> table{
      {"kernel_degradation", {"pressure", "baseline", "fault_effective", "window_as_planned", "trace_complete"}},
      {"telemetry",
       {"pressure", "fault_effective", "window_as_planned", "trace_complete", "clock", "counters", "bundle_complete"}},
      {"gate",
       {"pressure", "baseline", "fault_effective", "window_as_planned", "trace_complete", "clock", "counters",
        "bundle_complete"}},
      {"recovered", {"pressure", "baseline", "fault_effective", "window_as_planned", "trace_complete"}},
      {"stop_semantics", {"bundle_complete"}},
  };
  return table;
}

Verdict conclude(std::vector<Check> checks) {
  Verdict verdict;
  const auto prerequisites = checks;
  bool any_claim = false;
  verdict.outcome = Outcome::kPass;
  for (auto& check : checks) {
    if (check.sort == CheckSort::kClaim) {
      any_claim = true;
      rest(check, prerequisites);
    }
    verdict.outcome = std::max(verdict.outcome, check.outcome);
  }
  verdict.checks = std::move(checks);
  if (!any_claim) verdict.outcome = std::max(verdict.outcome, Outcome::kInconclusive);
  for (const auto* check : by_weight(verdict))
    verdict.reasons.push_back(fmt::format("{}: {}: {}", check->name, name(check->reason), check->detail));
  if (!any_claim && verdict.outcome == Outcome::kInconclusive)
    verdict.reasons.push_back(fmt::format("verdict: {}: no claim was evaluated", name(Reason::kNoClaim)));
  return verdict;
}

}  // namespace brownout::verdict
