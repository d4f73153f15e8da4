// SPDX-License-Identifier: MIT
// Is what we have all that there was? Sequence numbers, the tracer's own counters, the delay line's, clocks.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "parts.hpp"
#include "samples.hpp"

namespace brownout::findings {
namespace {

constexpr double kSlewPartsPerMillion = 500; // what the kernel lets a time daemon do without a step

// The sample before the last second: what was attempted then has been read since, whatever was still under way at the
// end.
const events::CounterSample& settled_sample(const events::Evidence& evidence) {
  const auto* settled = last_at_or_before(evidence, evidence.counters.back().t_mono_ns - kNsPerSecond);
  return settled != nullptr ? *settled : evidence.counters.front();
}

// Attempts that were neither written nor lost. A reader may catch an event between the two counts, never for long.
std::uint64_t open_attempts(const events::CounterSample& sample) {
  const auto& trace = sample.trace;
  return growth(trace.events_written + trace.failures_lost + trace.details_lost, trace.events_attempted);
}

void find_gaps(const events::Evidence& evidence, const Sequences& sequences, Findings& findings) {
  findings.sequence_gaps = sequences.missing();
  if (evidence.counters.empty()) return;
  const auto& last = evidence.counters.back();
  const auto& settled = settled_sample(evidence);
  const auto known = last.trace.failures_lost + last.trace.details_lost;
  const auto missing = findings.sequence_gaps + growth(sequences.newest(), settled.trace.events_attempted);
  findings.events_unaccounted =
      std::max(growth(known, missing), std::min(open_attempts(settled), open_attempts(last)));
}

std::int64_t beyond_slew(const ClockOffsets& start, const ClockOffsets& reading, std::int64_t change) {
  const auto elapsed = std::llabs(reading.at_monotonic_ns - start.at_monotonic_ns);
  const auto slew = static_cast<std::int64_t>(static_cast<double>(elapsed) * kSlewPartsPerMillion / 1e6);
  const auto allowed = slew + start.uncertainty_ns + reading.uncertainty_ns;
  if (change > allowed) return change - allowed;
  return change < -allowed ? change + allowed : 0;
}

void find_clock_step(const events::Evidence& evidence, Findings& findings) {
  if (evidence.clocks.size() < 2) return;
  const auto& start = evidence.clocks.front();
  findings.clock_change_ns = evidence.clocks.back().realtime_offset_ns - start.realtime_offset_ns;
  // The worst of all readings: a clock that was set and set back is right again at the end.
  for (const auto& reading : evidence.clocks) {
    const auto change = reading.realtime_offset_ns - start.realtime_offset_ns;
    const auto step = beyond_slew(start, reading, change);
    if (std::llabs(step) <= std::llabs(findings.clock_step_ns)) continue;
    findings.clock_step_ns = step;
    findings.clock_change_ns = change;
  }
}

struct LineTotals { std::uint64_t redirected = 0, received = 0, accounted = 0, device_drops = 0; };

LineTotals totals(const events::CounterSample& sample) {
  LineTotals sum;
  for (int direction = 0; direction < BROWNOUT_DIRECTIONS; ++direction) {
    const auto& line = sample.line[static_cast<std::size_t>(direction)];
    sum.redirected += sample.inject.redirected[direction].packets;
    sum.received += line.received;
    sum.device_drops += line.device_drops;
    sum.accounted += line.reinjected + line.held + line.overflow + line.expired + line.write_errors + line.foreign;
  }
  return sum;
}

// Counters are read one after the other while packets go on: what a sample may be off by is bounded by the traffic.
void check_conservation(const events::Evidence& evidence, Findings& findings) {
  std::uint64_t before = 0;
  bool had_line = false;
  for (const auto& sample : evidence.counters) {
    if (!sample.injecting) continue;
    const auto sum = totals(sample);
    if (sum.received + sum.device_drops == 0 && had_line) break; // the line is gone, and its counters with it
    had_line = sum.received > 0;
    const auto under_way = 16 + growth(before, sum.redirected) / 50;
    before = sum.redirected;
    const auto differ = [&](std::uint64_t a, std::uint64_t b) { return growth(a, b) + growth(b, a) > under_way; };
    if (!differ(sum.redirected, sum.received + sum.device_drops) && !differ(sum.received, sum.accounted)) continue;
    findings.conservation_holds = false;
    findings.conservation_detail =
        fmt::format("{} redirected, {} received and {} dropped by the device, {} accounted for (line {} of {})",
                    sum.redirected, sum.received, sum.device_drops, sum.accounted, sample.ref.line_start,
                    sample.ref.file);
    return;
  }
}

}  // namespace

void find_ledger(const events::Evidence& evidence, const Sequences& sequences, Findings& findings) {
  find_gaps(evidence, sequences, findings);
  compare_with_kernel(evidence, findings);
  find_clock_step(evidence, findings);
  check_conservation(evidence, findings);
}

}  // namespace brownout::findings
