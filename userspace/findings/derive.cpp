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

Result<Findings> derive(const plan::Plan& plan, const events::Evidence& evidence, const Events& events) {
  Findings findings;
  const NameBook names{evidence};
  FailureFold failures{evidence, names, findings};
  LookupFold lookups{evidence, names, findings};
  EdgeFold edges{findings};
  CallDelayFold delays{plan, evidence};
  RoundTripFold round_trips{evidence};
  Sequences sequences;
  BROWNOUT_TRY(events([&](const brownout_event& event, const events::Where& where) -> Result<> {
    ++findings.events;
    sequences.add(event.sequence);
    failures.take(event, where);
    lookups.take(event, where);
    edges.take(event, where);
    round_trips.take(event);
    return delays.take(event);
  }));
  failures.finish();
  lookups.finish();
  findings.round_trips = round_trips.finish();
  BROWNOUT_ASSIGN(const auto call_delays, delays.finish());
  find_calls(plan, evidence, findings);
  find_destinations(evidence, names, findings);
  find_recovery(evidence, findings);
  find_ledger(evidence, sequences, findings);
  find_payload_ledger(evidence, findings);
  find_effects(plan, evidence, call_delays, findings);
  find_capture(plan, evidence, findings);
  if (plan.drill.app) {
    find_app_errors(evidence, findings);
    match_app_errors(evidence, findings);
    match_lookups(evidence, findings);
    place_app_errors(evidence, findings);
    find_account(evidence, findings);
    find_growth(plan, evidence, findings);
    find_coverage(plan, evidence, findings);
  }
  find_counter_refs(evidence, findings);
  return findings;
}

Result<Reading> read(const plan::Plan& plan, const std::filesystem::path& directory) {
  Reading reading;
  BROWNOUT_ASSIGN(reading.evidence, events::load(directory));
  BROWNOUT_ASSIGN(reading.findings, derive(plan, reading.evidence, [&directory](const events::EventSink& sink) {
                    return events::for_each_kernel_event(directory, sink);
                  }));
  return reading;
}

}  // namespace brownout::findings
