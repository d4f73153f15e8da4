// SPDX-License-Identifier: MIT
// Why each check went as it did, and what happened when.
#include <algorithm>

#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "report_headings.hpp"
#include "report_sections.hpp"
#include "report_text.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;

std::string or_dash(const std::string& text) { return text.empty() ? "-" : cell(text); }

std::string explain(const verdict::Check& check) {
  std::string text = fmt::format("**{}: {}**", cell(check.name), verdict::word(check.outcome));
  if (!check.detail.empty()) text += fmt::format(". {}", prose(check.detail));
  if (check.outcome != verdict::Outcome::kPass)
    text += fmt::format("\n\n- {}: {}\n- What to do: {}", cell(verdict::name(check.reason)),
                        prose(verdict::meaning(check.reason)), prose(verdict::advice(check.reason)));
  if (!check.evidence.empty()) text += fmt::format("\n\nEvidence: {}", pointers(check.evidence));
  return text + "\n";
}

std::string cuts_of(const json& cuts) {
  if (!cuts.is_array() || cuts.empty()) return "nothing had to be cut off";
  std::string text;
  for (const auto& cut : cuts)
    text += fmt::format("{}{}: {} bytes cut off after line {}", text.empty() ? "" : "; ", json_text(cut.at("file")),
                        cut.at("bytes").dump(), cut.at("after_line").dump());
  return text;
}

// "phase: inject start"; long structures are left to the file itself.
std::string describe(const events::TimelineEntry& entry) {
  const auto& fields = entry.fields;
  if (entry.kind == "phase") return fmt::format("{} {}", json_text(fields.at("phase")), json_text(fields.at("edge")));
  if (entry.kind == "pressure")
    return fmt::format("{} of {} completed calls within {:.1f} s", fields.at("completed").dump(),
                       fields.at("wanted").dump(), fields.at("within_ns").get<double>() / 1e9);
  if (entry.kind == "stop") return fmt::format("{}: {}", json_text(fields.at("source")), json_text(fields.at("detail")));
  if (entry.kind == "ending") return fmt::format("{} {}", json_text(fields.at("ending")), json_text(fields.at("detail")));
  if (entry.kind == "action")
    return fmt::format("{} on {}: {}", json_text(fields.at("what")), json_text(fields.at("object")),
                       json_text(fields.at("result")));
  if (entry.kind == "cleanup") {
    const auto& left = fields.at("leftovers");
    return left.empty() ? "nothing is left" : "left: " + left.dump();
  }
  if (entry.kind == "sampling") return "longest gap " + milliseconds(fields.at("longest_gap_ns").get<std::int64_t>());
  if (entry.kind == "run_changed") return json_text(fields.at("newer"));
  if (entry.kind == "disk")
    return fmt::format("synced {} times, at longest in {}", fields.at("syncs").dump(),
                       milliseconds(fields.at("longest_ns").get<std::int64_t>()));
  if (entry.kind == "recovered") return cuts_of(fields.at("cut"));
  if (entry.kind == "note") return json_text(fields.at("text"));
  return {};
}

}  // namespace

std::string checks_section(const ReportInputs& inputs) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& check : inputs.verdict.checks)
    rows.push_back({std::string{verdict::word(check.outcome)}, cell(check.name), or_dash(check.measured),
                    or_dash(check.expected), cell(verdict::name(check.reason)), fmt::to_string(check.n)});
  std::string text = heading(Heading::kChecks, inputs.language) + table({"outcome", "check", "measured", "expected", "reason", "n"}, rows);
  text += heading(Heading::kWhyChecks, inputs.language);
  for (std::size_t i = 0; i < inputs.verdict.checks.size(); ++i)
    text += (i == 0 ? "" : "\n") + explain(inputs.verdict.checks[i]);
  return text;
}

std::string timeline_section(const ReportInputs& inputs) {
  std::vector<const events::TimelineEntry*> entries;
  for (const auto& entry : inputs.evidence.timeline)
    if (entry.kind != "clock" && entry.kind != "target" && entry.kind != "app_manifest" && entry.kind != "not_observed")
      entries.push_back(&entry);
  std::ranges::stable_sort(entries, {}, [](const auto* entry) { return entry->t_mono_ns; });
  std::vector<std::vector<std::string>> rows;
  for (const auto* entry : entries)
    rows.push_back({format_utc(events::to_realtime_ns(inputs.evidence, entry->t_mono_ns)), cell(entry->kind),
                    cell(describe(*entry))});
  return heading(Heading::kTimeline, inputs.language) + table({"time", "what", "detail"}, rows);
}

}  // namespace brownout::bundle
