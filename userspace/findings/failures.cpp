// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <tuple>

#include "name_book.hpp"
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

}  // namespace

bool carries_injection(const brownout_event& event) {
  if (event.dropped[BROWNOUT_EGRESS] + event.dropped[BROWNOUT_INGRESS] > 0) return true;
  return nobody_answered(event) && event.held[BROWNOUT_EGRESS] + event.held[BROWNOUT_INGRESS] > 0;
}

FailureFold::FailureFold(const events::Evidence& evidence, const NameBook& names, Findings& findings)
    : baseline_(window_of(evidence, BROWNOUT_PHASE_BASELINE)),
      window_(window_of(evidence, BROWNOUT_PHASE_INJECT)),
      recovery_(window_of(evidence, BROWNOUT_PHASE_RECOVERY)),
      names_(names),
      findings_(findings) {}

void FailureFold::take(const brownout_event& event, const events::Where& where) {
  const auto start = call_start_ns(event);
  const bool in_window = window_ && contains(*window_, start);
  const bool of_app = (event.flags & BROWNOUT_EVENT_APP) != 0;
  if (is_retransmit(event.kind) && in_window) ++findings_.retransmits_window;
  if (event.kind == BROWNOUT_EVENT_RTO && in_window) ++findings_.rtos_window;
  if ((event.flags & BROWNOUT_EVENT_CALL_FAILED) == 0 || !of_app) return;
  if ((event.flags & BROWNOUT_EVENT_HIT) == 0) {
    if (in_window) findings_.failures_elsewhere.push_back(where());
    return;
  }
  Failure failure;
  failure.event = event;
  failure.t_mono_ns = static_cast<std::int64_t>(event.t_mono_ns);
  failure.call_start_ns = start;
  failure.in_window = in_window;
  failure.injected = carries_injection(event);
  failure.names = names_.names_of(event);
  failure.ref = where();
  count(failure);
  findings_.failures.push_back(std::move(failure));
}

void FailureFold::count(const Failure& failure) {
  if (failure.in_window) ++findings_.failures_in_window;
  if (failure.in_window && failure.injected) ++findings_.failures_attributable;
  if (baseline_ && contains(*baseline_, failure.call_start_ns)) ++findings_.failures_baseline;
  if (recovery_ && contains(*recovery_, failure.call_start_ns)) ++findings_.failures_recovery;
}

void FailureFold::finish() {
  // The ring keeps the order of each CPU only.
  std::ranges::stable_sort(findings_.failures, {},
                           [](const Failure& failure) { return std::tuple(failure.t_mono_ns, failure.event.sequence); });
}

}  // namespace brownout::findings
