// SPDX-License-Identifier: MIT
#include "parts.hpp"
#include "samples.hpp"

namespace brownout::findings {
namespace {

void find_counter_refs(const events::Evidence& evidence, Findings& findings) {
  for (const std::uint32_t phase : {BROWNOUT_PHASE_BASELINE, BROWNOUT_PHASE_INJECT, BROWNOUT_PHASE_RECOVERY}) {
    const auto window = window_of(evidence, phase);
    if (!window) continue;
    const auto span = edges(evidence, *window);
    if (span.first == nullptr) continue;
    findings.counter_refs.push_back(span.first->ref);
    if (span.last != span.first) findings.counter_refs.push_back(span.last->ref);
  }
}

}  // namespace

Findings derive(const plan::Plan& plan, const events::Evidence& evidence) {
  Findings findings;
  find_failures(evidence, findings);
  find_calls(plan, evidence, findings);
  find_recovery(evidence, findings);
  find_ledger(evidence, findings);
  find_effects(plan, evidence, findings);
  if (plan.drill.app) {
    find_app_errors(evidence, findings);
    match_app_errors(evidence, findings);
    place_app_errors(evidence, findings);
    find_account(evidence, findings);
    find_growth(plan, evidence, findings);
    find_coverage(plan, evidence, findings);
  }
  find_counter_refs(evidence, findings);
  return findings;
}

}  // namespace brownout::findings
