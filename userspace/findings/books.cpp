// SPDX-License-Identifier: MIT
// What the tracer counted against what the kernel counts for the network namespace by itself: docs/events.md has the
// formula of each row.
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "parts.hpp"
#include "samples.hpp"

namespace brownout::findings {
namespace {

using Trace = brownout_trace_counters;

struct Formula {
  const char* counter;
  const char* ours; // as printed
  std::uint64_t (*count)(const Trace&);
  bool bound; // the kernel counts what no event of a socket in scope shows
  // Traced, and counted by the kernel in some cases only.
  std::uint64_t (*perhaps)(const Trace&) = [](const Trace&) -> std::uint64_t { return 0; };
};

constexpr std::array<Formula, 7> kFormulas{{
    {"Tcp.RetransSegs", "retransmits + retransmits_synack",
     [](const Trace& t) -> std::uint64_t { return t.retransmits + t.retransmits_synack; }, false},
    // A SYN-ACK sent again by its timer counts, one in answer to a SYN that came again does not.
    {"TcpExt.TCPTimeouts", "rtos (+ retransmits_synack)", [](const Trace& t) -> std::uint64_t { return t.rtos; }, false,
     [](const Trace& t) -> std::uint64_t { return t.retransmits_synack; }},
    {"TcpExt.TCPAbortOnTimeout", "timeout_aborts", [](const Trace& t) -> std::uint64_t { return t.timeout_aborts; },
     false},
    {"Tcp.EstabResets", "established_resets", [](const Trace& t) -> std::uint64_t { return t.established_resets; },
     false},
    {"Tcp.AttemptFails", "connects_failed", [](const Trace& t) -> std::uint64_t { return t.connects_failed; }, true},
    {"TcpExt.TCPLossProbes", "retransmits_probe", [](const Trace& t) -> std::uint64_t { return t.retransmits_probe; },
     true},
    {"Tcp.OutRsts", "resets_sent", [](const Trace& t) -> std::uint64_t { return t.resets_sent; }, true},
}};

// The kernel counts and then shows, or the other way round: what other CPUs have between the two while we read.
constexpr std::uint64_t kUnderWay = 4;

std::uint64_t before(const events::CounterSample& sample, const std::string& counter) {
  const auto found = sample.snmp_before.find(counter);
  return found == sample.snmp_before.end() ? sample.snmp.at(counter) : found->second;
}

void add_rows(const Span& span, std::string_view phase, bool bounded, std::vector<LedgerRow>& rows) {
  for (const auto& formula : kFormulas) {
    if (!has_snmp(span, formula.counter)) continue;
    LedgerRow row{.counter = formula.counter, .formula = formula.ours, .phase = std::string{phase}};
    row.traced = growth(formula.count(span.first->trace), formula.count(span.last->trace));
    row.low = growth(span.first->snmp.at(formula.counter), before(*span.last, formula.counter));
    row.high = growth(before(*span.first, formula.counter), span.last->snmp.at(formula.counter));
    row.bound = bounded || formula.bound;
    const bool exceeds = row.traced > row.high + kUnderWay;
    const auto perhaps = growth(formula.perhaps(span.first->trace), formula.perhaps(span.last->trace));
    row.missed = growth(span.first->trace.programs_missed, span.last->trace.programs_missed);
    row.equal = !exceeds && row.traced + perhaps + row.missed + kUnderWay >= row.low;
    row.closes = !exceeds && (row.bound || row.equal);
    rows.push_back(std::move(row));
  }
}

// Others in the namespace, connections whose RTOs are not to be had, or hooks that this kernel lacks: then the kernel
// may well have counted more.
bool is_bounded(const events::Evidence& evidence) {
  const auto& trace = evidence.counters.back().trace;
  return trace.out_of_scope_here > 0 || trace.rtos_unseen > 0 || !evidence.not_observed.empty();
}

std::string violation(const LedgerRow& row) {
  if (row.traced > row.high)
    return fmt::format("{} = {} traced ({}), but {} grew by {} only", row.formula, row.traced, row.phase, row.counter,
                       row.high);
  return fmt::format("{} grew by {} ({}), but {} = {} traced, and no socket out of scope was seen there", row.counter,
                     row.low, row.phase, row.formula, row.traced);
}

}  // namespace

void compare_with_kernel(const events::Evidence& evidence, Findings& findings) {
  if (evidence.counters.size() < 2) return;
  const bool bounded = is_bounded(evidence);
  add_rows({&evidence.counters.front(), &evidence.counters.back()}, "all", bounded, findings.ledger);
  for (const std::uint32_t phase : {BROWNOUT_PHASE_BASELINE, BROWNOUT_PHASE_INJECT, BROWNOUT_PHASE_RECOVERY})
    if (const auto window = window_of(evidence, phase))
      add_rows(edges(evidence, *window), events::phase_name(phase), bounded, findings.ledger);
  // The first two carry the verdict's word `complete`: they count what the drill provokes.
  findings.snmp_equal = !findings.ledger.empty();
  for (const auto& row : findings.ledger) {
    const bool decides = row.counter == kFormulas[0].counter || row.counter == kFormulas[1].counter;
    if (decides && !row.equal) findings.snmp_equal = false;
    if (!row.closes && findings.snmp_violation.empty()) findings.snmp_violation = violation(row);
  }
}

}  // namespace brownout::findings
