// SPDX-License-Identifier: MIT
// DNS queries that failed. They are no failures of calls: resolvers ask for two addresses at once, ask again and ask
// others, and what came of it is not seen. They explain errors of the app that are about names.
#include <algorithm>

#include "assignment.hpp"
#include "name_book.hpp"
#include "parts.hpp"
#include "samples.hpp"
#include "url.hpp"

namespace brownout::findings {
namespace {

bool may_explain(const LookupFailure& lookup, const AppErrorFinding& error) {
  const auto host = authority_of(error.error.url).host;
  if (host.empty() || lookup.name.empty()) return true;
  return may_be_called({lookup.name}, host);
}

}  // namespace

LookupFold::LookupFold(const events::Evidence& evidence, const NameBook& names, Findings& findings)
    : window_(window_of(evidence, BROWNOUT_PHASE_INJECT)), names_(names), findings_(findings) {}

void LookupFold::take(const brownout_event& event, const events::Where& where) {
  if (!events::is_dns(event.kind) || !events::is_failure(event.kind)) return;
  if ((event.flags & BROWNOUT_EVENT_APP) == 0) return;
  LookupFailure lookup;
  lookup.t_mono_ns = static_cast<std::int64_t>(event.t_mono_ns);
  lookup.in_window = window_ && contains(*window_, call_start_ns(event));
  lookup.injected = carries_injection(event);
  lookup.event = event;
  lookup.name = names_.question_of(event);
  lookup.ref = where();
  findings_.lookups.push_back(std::move(lookup));
}

void LookupFold::finish() { std::ranges::stable_sort(findings_.lookups, {}, &LookupFailure::t_mono_ns); }

// A reader may catch one between the two counts, never in two samples.
void find_payload_ledger(const events::Evidence& evidence, Findings& findings) {
  const auto open = [](const events::CounterSample& sample) {
    return growth(sample.trace.payloads_written + sample.trace.payloads_lost, sample.trace.payloads_attempted);
  };
  const auto samples = evidence.counters.size();
  if (samples >= 2)
    findings.payloads_unaccounted = std::min(open(evidence.counters[samples - 2]), open(evidence.counters[samples - 1]));
}

// After the calls' failures had their choice.
void match_lookups(const events::Evidence& evidence, Findings& findings) {
  const auto slack = kMatchReachNs + clock_uncertainty_ns(evidence);
  std::vector<Candidate> pairs;
  for (std::size_t e = 0; e < findings.app_errors.size(); ++e) {
    const auto& error = findings.app_errors[e];
    if (error.failure || kind_of(error.error) != ErrorKind::kLookup) continue;
    auto from = std::ranges::lower_bound(findings.lookups, error.earliest_ns - slack, {}, &LookupFailure::t_mono_ns);
    for (; from != findings.lookups.end() && from->t_mono_ns <= error.latest_ns + slack; ++from)
      if (may_explain(*from, error))
        pairs.push_back({distance_ns(error, from->t_mono_ns), static_cast<std::size_t>(from - findings.lookups.begin()), e});
  }
  for (const auto& [distance, lookup, error] : assign(std::move(pairs)).pairs) {
    findings.lookups[lookup].app_error = error;
    findings.app_errors[error].lookup = lookup;
  }
}

}  // namespace brownout::findings
