// SPDX-License-Identifier: MIT
// Calls before, during and after; and what was injected, with its witnesses.
#include <fmt/format.h>

#include "report_headings.hpp"
#include "report_sections.hpp"
#include "report_text.hpp"
#include "report_words.hpp"

namespace brownout::bundle {
namespace {

std::string tally(const brownout_tally& tally) {
  return fmt::format("{} / {} / {}", tally.packets, tally.segments, tally.bytes);
}

std::string growth_row(std::string_view name, const findings::Growth& growth) {
  const auto shown = [](const std::optional<double>& value) { return value ? fmt::format("{:g}", *value) : "-"; };
  return fmt::format("| {} | {} | {} | {} | {} | {:.3f}/s |\n", cell(name), shown(growth.at_start),
                     shown(growth.at_end), shown(growth.lower), shown(growth.upper), growth.baseline_per_second);
}

std::string app_counters(const findings::Findings& findings) {
  std::string text = "\nThe app's own counters over the window, from its fingerprint:\n\n";
  text += table({"counter", "at its start", "at its end", "grew at least", "grew at most", "in the baseline"}, {});
  text += growth_row("error_count", findings.error_count);
  for (const auto& [pointer, growth] : findings.counters) text += growth_row(pointer, growth);
  return text;
}

std::string delays(const ReportInputs& inputs) {
  const auto* sample = last_of_window(inputs.evidence);
  std::vector<std::vector<std::string>> rows;
  for (int direction = 0; sample != nullptr && direction < BROWNOUT_DIRECTIONS; ++direction) {
    const auto& figures = sample->delays[static_cast<std::size_t>(direction)];
    if (figures.packets == 0) continue;
    rows.push_back({std::string{direction_name(direction)}, fmt::to_string(figures.packets),
                    us_as_ms(figures.decided_p50_us), us_as_ms(figures.decided_p99_us),
                    us_as_ms(figures.decided_max_us), fmt::to_string(figures.order_held),
                    us_as_ms(figures.order_p50_us), us_as_ms(figures.order_p99_us), us_as_ms(figures.order_max_us)});
  }
  if (rows.empty()) return {};
  return "\nDelays as drawn, and what keeping each flow in order added to them (to within 1/64 of each figure):\n\n" +
         table({"direction", "packets", "drawn p50", "p99", "max", "waited for order", "added p50", "p99", "max"},
               rows);
}

std::string clamped(const ReportInputs& inputs) {
  std::string text;
  for (const auto& effect : inputs.findings.effects)
    if (effect.counters.clamped > 0)
      text += fmt::format("\n{} packets of {} ({}) drew a jitter below minus the delay: they were not delayed by it.\n",
                          effect.counters.clamped, prose(label_of(inputs.plan, effect.fault)),
                          direction_name(effect.direction));
  return text;
}

std::string spared(const ReportInputs& inputs) {
  const auto* sample = last_of_window(inputs.evidence);
  if (sample == nullptr) return {};
  std::string text;
  const auto say = [&text](const __u64 (&packets)[BROWNOUT_DIRECTIONS], std::string_view what, drill::Allowed word) {
    if (packets[BROWNOUT_EGRESS] + packets[BROWNOUT_INGRESS] == 0) return;
    text += fmt::format(
        "\nSpared, though a fault matched: {} packets (egress), {} (ingress) {}. `allow: [{}]` hits them.\n",
        packets[BROWNOUT_EGRESS], packets[BROWNOUT_INGRESS], what, drill::allowed_name(word));
  };
  say(sample->inject.spared_dhcp, "of DHCP", drill::Allowed::kDhcp);
  say(sample->inject.spared_metadata, "of a cloud's metadata service", drill::Allowed::kMetadata);
  return text;
}

std::string witnesses(const ReportInputs& inputs) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& effect : inputs.findings.effects)
    for (const auto& witness : effect.witnesses)
      rows.push_back({cell(label_of(inputs.plan, effect.fault)), std::string{direction_name(effect.direction)},
                      cell(witness.name), std::string{weight_name(witness.weight)},
                      fmt::format("{:.1f}", witness.measured),
                      fmt::format("{:.1f} to {:.1f}", witness.expected_low, witness.expected_high),
                      witness.agrees ? "agrees" : "disagrees"});
  if (rows.empty()) return "\nNo witness was asked.\n";
  return "\nWhat others than the injector counted:\n\n" +
         table({"fault", "direction", "witness", "weight", "measured", "expected", ""}, rows);
}

}  // namespace

std::string ledger_section(const ReportInputs& inputs) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : inputs.findings.ledger)
    rows.push_back({row.phase, row.counter,
                    row.low == row.high ? fmt::to_string(row.low) : fmt::format("{} to {}", row.low, row.high),
                    row.formula,
                    row.missed == 0 ? fmt::to_string(row.traced)
                                    : fmt::format("{}, {} runs of programs missed", row.traced, row.missed),
                    std::string{how_it_closes(row)}});
  if (rows.empty()) return {};
  return heading(Heading::kLedger, inputs.language) +
         "Of the container's network namespace, against what was traced. A bound holds where the kernel may count more "
         "than sockets in scope.\n\n" +
         table({"phase", "counter", "grew by", "traced", "", ""}, rows);
}

std::string figures_section(const ReportInputs& inputs) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [phase, calls] : inputs.findings.calls)
    rows.push_back({std::string{events::phase_name(phase)}, fmt::format("{:.1f} s", calls.seconds),
                    fmt::to_string(calls.started), fmt::to_string(calls.completed), fmt::to_string(calls.failed),
                    fmt::format("{:.2f}", calls.completed_per_second()), milliseconds(calls.p50_ms),
                    milliseconds(calls.p95_ms), milliseconds(calls.p99_ms), milliseconds(calls.max_ms)});
  std::string text = heading(Heading::kFigures, inputs.language) +
                     "Calls of the application on flows that the plan hits, counted in the kernel.\n\n" +
                     table({"phase", "length", "started", "completed", "failed", "completed/s", "p50", "p95", "p99",
                            "max"},
                           rows);
  text += fmt::format("\nIn the window: {} retransmits, {} RTOs. Neither is a failure by itself.\n",
                      inputs.findings.retransmits_window, inputs.findings.rtos_window);
  if (inputs.plan.drill.app) text += app_counters(inputs.findings);
  return text;
}

std::string injection_section(const ReportInputs& inputs) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& effect : inputs.findings.effects) {
    const bool drops = effect.expected_high > 0;
    rows.push_back({cell(label_of(inputs.plan, effect.fault)), std::string{direction_name(effect.direction)},
                    tally(effect.counters.matched), tally(effect.counters.decided), tally(effect.counters.applied),
                    drops ? fmt::format("{:.0f} to {:.0f}", effect.expected_low, effect.expected_high) : "-",
                    fmt::format("{} / {}", effect.overflow, effect.expired)});
  }
  std::string text = heading(Heading::kInjected, inputs.language);
  text += fmt::format("Seed {}{}. Packets / wire segments / bytes at the end of the window.\n\n", inputs.plan.seed,
                      inputs.plan.seed_drawn ? " (drawn)" : "");
  text += table({"fault", "direction", "matched", "decided", "applied", "packets expected", "overflow / expired"},
                rows);
  text += delays(inputs) + clamped(inputs) + spared(inputs);
  text += witnesses(inputs);
  if (!inputs.findings.conservation_holds)
    text += fmt::format("\nThe delay line's books do not balance: {}\n", cell(inputs.findings.conservation_detail));
  return text;
}

}  // namespace brownout::bundle
