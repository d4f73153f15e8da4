// SPDX-License-Identifier: MIT
// Latency before, during and after; what was injected against what was planned; the kernel's own counts.
#include <cmath>

#include <fmt/format.h>

#include "html_sections.hpp"
#include "report_text.hpp"
#include "report_words.hpp"

namespace brownout::bundle {
namespace {

std::string range_of(double low, double high) {
  return std::isinf(high) ? fmt::format("at least {:.1f}", low) : fmt::format("{:.1f} to {:.1f}", low, high);
}

std::string packets(const brownout_tally& tally) { return fmt::to_string(tally.packets); }

HtmlTable calls(const ReportInputs& inputs) {
  HtmlTable table{"latency", "Calls of the application on flows that the plan hits",
                  {"phase", "length", "started", "answered", "failed", "answered/s", "p50", "p95", "p99", "max"}};
  for (const auto& [phase, stats] : inputs.findings.calls)
    table.add({events::phase_name(phase), fmt::format("{:.1f} s", stats.seconds), fmt::to_string(stats.started),
               fmt::to_string(stats.completed), fmt::to_string(stats.failed),
               fmt::format("{:.2f}", stats.completed_per_second()), milliseconds(stats.p50_ms),
               milliseconds(stats.p95_ms), milliseconds(stats.p99_ms), milliseconds(stats.max_ms)});
  return table;
}

HtmlTable witnesses(const ReportInputs& inputs) {
  HtmlTable table{"latency", "Planned against realised, by each witness",
                  {"fault", "direction", "witness", "weight", "planned", "realised", "agrees"}};
  table.when_empty("No witness was asked.");
  for (const auto& effect : inputs.findings.effects)
    for (const auto& witness : effect.witnesses)
      table.add({shown(label_of(inputs.plan, effect.fault)), direction_name(effect.direction), shown(witness.name),
                 weight_name(witness.weight), range_of(witness.expected_low, witness.expected_high),
                 fmt::format("{:.1f}", witness.measured), witness.agrees ? "yes" : "no"});
  return table;
}

HtmlTable destinations(const ReportInputs& inputs) {
  HtmlTable table{"latency", "Answered calls by destination",
                  {"destination", "hit", "phase", "calls", "first byte p50", "p95", "max", "last byte p50", "p95",
                   "max"}};
  for (const auto& stats : inputs.findings.destinations)
    table.add({shown(with_names(stats.destination.value_or("all others"), stats.names)), stats.target ? "yes" : "no",
               events::phase_name(stats.phase), fmt::to_string(stats.completed), milliseconds(stats.first_p50_ms),
               milliseconds(stats.first_p95_ms), milliseconds(stats.first_max_ms), milliseconds(stats.last_p50_ms),
               milliseconds(stats.last_p95_ms), milliseconds(stats.last_max_ms)});
  return table;
}

HtmlTable faults(const ReportInputs& inputs) {
  HtmlTable table{"injection", "Packets at the end of the window",
                  {"fault", "direction", "matched", "planned", "decided", "applied", "overflow", "expired"}};
  table.note(fmt::format("Seed {}{}.", inputs.plan.seed, inputs.plan.seed_drawn ? ", drawn" : ""));
  for (const auto& effect : inputs.findings.effects)
    table.add({shown(label_of(inputs.plan, effect.fault)), direction_name(effect.direction),
               packets(effect.counters.matched),
               effect.expected_high > 0 ? fmt::format("{:.0f} to {:.0f}", effect.expected_low, effect.expected_high)
                                        : "-",
               packets(effect.counters.decided), packets(effect.counters.applied), fmt::to_string(effect.overflow),
               fmt::to_string(effect.expired)});
  return table;
}

HtmlTable delays(const ReportInputs& inputs) {
  HtmlTable table{"injection", "Delays as drawn, and what keeping each flow in order added",
                  {"direction", "packets", "drawn p50", "p99", "max", "waited for order", "added p50", "p99", "max"}};
  const auto* sample = last_of_window(inputs.evidence);
  for (int direction = 0; sample != nullptr && direction < BROWNOUT_DIRECTIONS; ++direction) {
    const auto& figures = sample->delays[static_cast<std::size_t>(direction)];
    if (figures.packets == 0) continue;
    table.add({direction_name(direction), fmt::to_string(figures.packets), us_as_ms(figures.decided_p50_us),
               us_as_ms(figures.decided_p99_us), us_as_ms(figures.decided_max_us), fmt::to_string(figures.order_held),
               us_as_ms(figures.order_p50_us), us_as_ms(figures.order_p99_us), us_as_ms(figures.order_max_us)});
  }
  return table;
}

HtmlTable ledger(const ReportInputs& inputs) {
  HtmlTable table{"ledger", "The kernel's counters of the container's network namespace, against what was traced",
                  {"phase", "counter", "grew by", "traced", "of our counters", "result"}};
  table.note("A bound holds where the kernel may count more than sockets in scope.");
  for (const auto& row : inputs.findings.ledger)
    table.add({row.phase, row.counter,
               row.low == row.high ? fmt::to_string(row.low) : fmt::format("{} to {}", row.low, row.high),
               row.missed == 0 ? fmt::to_string(row.traced)
                               : fmt::format("{}, {} runs of programs missed", row.traced, row.missed),
               row.formula, how_it_closes(row)});
  return table;
}

void add_if_any(HtmlTables& tables, HtmlTable table) {
  if (table.rows() > 0) tables.push_back(std::move(table));
}

}  // namespace

void add_latency(const ReportInputs& inputs, HtmlTables& tables) {
  tables.push_back(calls(inputs));
  tables.push_back(witnesses(inputs));
  add_if_any(tables, destinations(inputs));
}

void add_injection(const ReportInputs& inputs, HtmlTables& tables) {
  tables.push_back(faults(inputs));
  add_if_any(tables, delays(inputs));
  add_if_any(tables, ledger(inputs));
}

}  // namespace brownout::bundle
