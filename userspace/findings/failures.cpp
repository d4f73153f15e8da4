// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <tuple>

#include "parts.hpp"
#include "samples.hpp"

namespace brownout::findings {
namespace {

// A delay explains that nothing came back in time. It does not explain that the peer said no: refusals, resets and
// closes by the peer are put down to the fault only when packets of that very call were dropped.
bool nobody_answered(const brownout_event& event) {
  switch (event.kind) {
    case BROWNOUT_EVENT_CONNECT_TIMEOUT:
    case BROWNOUT_EVENT_CONNECT_ABANDONED:
    case BROWNOUT_EVENT_READ_TIMEOUT:
    case BROWNOUT_EVENT_CLOSED_UNANSWERED:
    case BROWNOUT_EVENT_KERNEL_GAVE_UP:
    case BROWNOUT_EVENT_ZERO_WINDOW_ABORT:
    case BROWNOUT_EVENT_KEEPALIVE_ABORT:
    case BROWNOUT_EVENT_DNS_UNANSWERED:
      return true;
    default:
      return event.error == ETIMEDOUT;
  }
}

bool is_retransmit(std::uint32_t kind) {
  return kind >= BROWNOUT_EVENT_RETRANSMIT_RTO && kind <= BROWNOUT_EVENT_RETRANSMIT_PROBE;
}

bool carries_injection(const brownout_event& event) {
  if (event.dropped[BROWNOUT_EGRESS] + event.dropped[BROWNOUT_INGRESS] > 0) return true;
  return nobody_answered(event) && event.held[BROWNOUT_EGRESS] + event.held[BROWNOUT_INGRESS] > 0;
}

void count(const events::Evidence& evidence, const Failure& failure, Findings& findings) {
  if (failure.in_window) ++findings.failures_in_window;
  if (failure.in_window && failure.injected) ++findings.failures_attributable;
  if (const auto baseline = window_of(evidence, BROWNOUT_PHASE_BASELINE))
    if (contains(*baseline, failure.call_start_ns)) ++findings.failures_baseline;
  if (const auto recovery = window_of(evidence, BROWNOUT_PHASE_RECOVERY))
    if (contains(*recovery, failure.call_start_ns)) ++findings.failures_recovery;
}

}  // namespace

void find_failures(const events::Evidence& evidence, Findings& findings) {
  const auto window = window_of(evidence, BROWNOUT_PHASE_INJECT);
  for (std::size_t i = 0; i < evidence.kernel_events.size(); ++i) {
    const auto& [event, ref] = evidence.kernel_events[i];
    const auto start = call_start_ns(event);
    const bool in_window = window && contains(*window, start);
    const bool of_app = (event.flags & BROWNOUT_EVENT_APP) != 0;
    if (is_retransmit(event.kind) && in_window) ++findings.retransmits_window;
    if (event.kind == BROWNOUT_EVENT_RTO && in_window) ++findings.rtos_window;
    if ((event.flags & BROWNOUT_EVENT_CALL_FAILED) == 0 || !of_app) continue;
    if ((event.flags & BROWNOUT_EVENT_HIT) == 0) {
      if (in_window) findings.failures_elsewhere.push_back(ref);
      continue;
    }
    Failure failure;
    failure.event = i;
    failure.sequence = event.sequence;
    failure.t_mono_ns = static_cast<std::int64_t>(event.t_mono_ns);
    failure.call_start_ns = start;
    failure.in_window = in_window;
    failure.injected = carries_injection(event);
    failure.ref = ref;
    count(evidence, failure, findings);
    findings.failures.push_back(failure);
  }
  // The ring keeps the order of each CPU only.
  std::ranges::stable_sort(findings.failures, {},
                           [](const Failure& failure) { return std::tuple(failure.t_mono_ns, failure.sequence); });
}

}  // namespace brownout::findings
