// SPDX-License-Identifier: MIT
// Calls by destination, and what was under way between phases.
#include <algorithm>

#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "report_headings.hpp"
#include "report_sections.hpp"
#include "report_text.hpp"

namespace brownout::bundle {
namespace {

std::string evidence_of(const events::Ref& ref) { return cell(fmt::format("{}:{}", ref.file, ref.line_start)); }

std::vector<std::string> row(const findings::DestinationStats& stats) {
  return {cell(with_names(stats.destination.value_or("all others"), stats.names)), stats.target ? "yes" : "no",
          std::string{events::phase_name(stats.phase)}, fmt::to_string(stats.completed),
          milliseconds(stats.first_p50_ms), milliseconds(stats.first_p95_ms), milliseconds(stats.first_max_ms),
          milliseconds(stats.last_p50_ms), milliseconds(stats.last_p95_ms), milliseconds(stats.last_max_ms),
          evidence_of(stats.ref)};
}

}  // namespace

std::string destinations_section(const ReportInputs& inputs) {
  std::vector<std::vector<std::string>> rows;
  std::uint64_t open = 0;
  for (const auto& stats : inputs.findings.destinations) {
    rows.push_back(row(stats));
    open += stats.completed - std::min(stats.completed, stats.ended);
  }
  if (rows.empty()) return {};
  std::string text = heading(Heading::kDestinations, inputs.language);
  text += "Answered calls of the target, counted in the kernel: to the first byte of the answer, and to the last.\n\n";
  text += table({"destination", "hit", "phase", "calls", "first p50", "p95", "max", "last p50", "p95", "max", "evidence"},
                rows);
  if (open > 0)
    text += fmt::format("\nOf {} answers the last byte is not known: neither did another call follow, nor did the "
                        "connection end.\n",
                        open);
  return text;
}

std::string edges_section(const ReportInputs& inputs) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& edge : inputs.findings.edges)
    rows.push_back({format_utc(events::to_realtime_ns(inputs.evidence, edge.t_mono_ns)), fmt::to_string(edge.calls),
                    fmt::to_string(edge.connects), milliseconds(edge.oldest_ns), evidence_of(edge.ref)});
  if (rows.empty()) return {};
  return heading(Heading::kUnderWay, inputs.language) +
         "Calls and connects of the target that had begun and not ended. Each is an event of kind `in_flight`.\n\n" +
         table({"time", "calls", "connects", "oldest", "evidence"}, rows);
}

}  // namespace brownout::bundle
