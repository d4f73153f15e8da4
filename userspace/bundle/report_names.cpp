// SPDX-License-Identifier: MIT
// Names that did not resolve, and names that may be missing.
#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "report_headings.hpp"
#include "report_sections.hpp"
#include "report_text.hpp"

namespace brownout::bundle {
namespace {

std::vector<std::string> row(const ReportInputs& inputs, const findings::LookupFailure& lookup) {
  const auto& event = lookup.event;
  std::string record = "-";
  if (lookup.app_error) {
    const auto& error = inputs.findings.app_errors.at(*lookup.app_error).error;
    record = fmt::format("{} {} ({}:{})", error.type, error.exception_type, error.ref.file, error.ref.line_start);
  }
  return {format_utc(events::to_realtime_ns(inputs.evidence, lookup.t_mono_ns)),
          cell(events::event_kind_name(event.kind)),
          cell(lookup.name.empty() ? "-" : lookup.name),
          cell(events::endpoint(event.flow.peer_address, event.flow.peer_port)),
          fmt::format("{}", event.retransmits + 1),
          milliseconds(static_cast<std::int64_t>(event.duration_ns)),
          lookup.injected ? "yes" : "no",
          cell(record),
          cell(fmt::format("{}:{}", lookup.ref.file, lookup.ref.line_start))};
}

void add(std::vector<std::string>& items, std::uint64_t count, std::string_view text) {
  if (count > 0) items.push_back(fmt::format("names: {} {}", count, text));
}

}  // namespace

std::string lookups_section(const ReportInputs& inputs) {
  std::vector<std::vector<std::string>> rows;
  std::size_t in_window = 0;
  for (const auto& lookup : inputs.findings.lookups)
    if (lookup.in_window && ++in_window <= kMostRows) rows.push_back(row(inputs, lookup));
  if (rows.empty()) return {};
  std::string text = heading(Heading::kLookups, inputs.language);
  text += "They are not counted as failed calls: a resolver asks again, and asks others.\n\n";
  text += table({"time", "kind", "name", "server", "asked", "after", "by us", "the app's record", "evidence"}, rows);
  return in_window > kMostRows ? text + fmt::format("\n{} more are in kernel/events.jsonl.\n", in_window - kMostRows)
                               : text;
}

std::vector<std::string> names_not_known(const events::Evidence& evidence) {
  std::vector<std::string> items;
  if (evidence.name_counts) {
    add(items, evidence.name_counts->cut, "messages were longer than what is copied of them, and no name was found before");
    add(items, evidence.name_counts->malformed, "DNS messages could not be read");
    add(items, evidence.name_counts->beyond, "names were beyond the number that is recorded");
  }
  if (evidence.counters.empty()) return items;
  const auto& trace = evidence.counters.back().trace;
  add(items, trace.payloads_suppressed, "messages were over the budget per second, and not looked at");
  add(items, trace.payloads_lost, "messages found no room on their way from the kernel");
  add(items, trace.dns_untracked, "DNS queries found no room in the table: whether they were answered is not known");
  return items;
}

}  // namespace brownout::bundle
