// SPDX-License-Identifier: MIT
// Is every packet that a fault hit on record, or counted as one that is not?
#include "parts.hpp"

namespace brownout::findings {
namespace {

// The totals of the fault: of the last line that has them.
const events::CounterSample* last_of_injector(const events::Evidence& evidence) {
  for (auto sample = evidence.counters.rbegin(); sample != evidence.counters.rend(); ++sample)
    if (sample->injecting && sample->capture) return &*sample;
  return nullptr;
}

}  // namespace

void find_capture(const plan::Plan& plan, const events::Evidence& evidence, Findings& findings) {
  if (!evidence.packets) return;
  auto& account = findings.capture.emplace();
  const auto* last = last_of_injector(evidence);
  for (std::size_t d = 0; d < BROWNOUT_DIRECTIONS; ++d) {
    auto& direction = account.directions[d];
    direction.recorded = evidence.packets->packets[d];
    if (last == nullptr) continue;
    direction.captured = last->capture->captured[d];
    direction.lost = last->capture->lost[d];
    direction.beyond = last->capture->beyond[d];
    direction.seen = last->inject.seen[d];
    // A packet is dropped by one fault, and may be delayed by several.
    direction.delayed = last->delays[d].packets;
    for (std::size_t i = 0; i < plan.faults.size(); ++i)
      if (const auto at = i * BROWNOUT_DIRECTIONS + d;
          plan.faults[i].abi.kind != BROWNOUT_FAULT_LATENCY && at < last->faults.size())
        direction.dropped += last->faults[at].applied.packets;
  }
}

}  // namespace brownout::findings
