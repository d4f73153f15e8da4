// SPDX-License-Identifier: MIT
// Failed calls, each with the app's own record of it; and errors that no failed call explains.
#include <cstring>

#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "report_headings.hpp"
#include "report_sections.hpp"
#include "report_text.hpp"

namespace brownout::bundle {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string when(const events::Evidence& evidence, std::int64_t t_mono_ns) {
  return format_utc(events::to_realtime_ns(evidence, t_mono_ns));
}

std::string recorded_by_app(const findings::Findings& findings, const findings::Failure& failure) {
  if (!failure.app_error) return "not recorded";
  const auto& error = findings.app_errors.at(*failure.app_error).error;
  return cell(fmt::format("{} {} ({}:{})", error.type, error.exception_type, error.ref.file, error.ref.line_start));
}

std::vector<std::string> failure_row(const ReportInputs& inputs, const findings::Failure& failure) {
  const auto& event = failure.event;
  return {when(inputs.evidence, static_cast<std::int64_t>(event.t_mono_ns)),
          cell(events::event_kind_name(event.kind)),
          cell(events::endpoint(event.flow.local_address, event.flow.local_port)),
          cell(with_names(events::endpoint(event.flow.peer_address, event.flow.peer_port), failure.names)),
          milliseconds(static_cast<std::int64_t>(event.duration_ns)),
          fmt::format("{} / {}", event.dropped[BROWNOUT_EGRESS], event.dropped[BROWNOUT_INGRESS]),
          fmt::format("{} / {}", event.held[BROWNOUT_EGRESS], event.held[BROWNOUT_INGRESS]),
          failure.injected ? "yes" : "no",
          recorded_by_app(inputs.findings, failure),
          cell(fmt::format("{}:{}", failure.ref.file, failure.ref.line_start))};
}

std::string rest_of(std::size_t all, std::string_view file) {
  return all > kMostRows ? fmt::format("\n{} more are in {}.\n", all - kMostRows, file) : "";
}

}  // namespace

std::string failures_section(const ReportInputs& inputs) {
  const auto& findings = inputs.findings;
  Rows rows;
  std::size_t in_window = 0;
  for (const auto& failure : findings.failures)
    if (failure.in_window && ++in_window <= kMostRows) rows.push_back(failure_row(inputs, failure));
  std::string text = heading(Heading::kFailures, inputs.language);
  text += fmt::format("{} failed; {} of them carry what was injected on their own flow, and the app recorded {} of "
                      "those. Failed outside of the window: {} in the baseline, {} in the recovery.\n\n",
                      findings.failures_in_window, findings.failures_attributable, findings.failures_recorded,
                      findings.failures_baseline, findings.failures_recovery);
  if (rows.empty()) return text + "None.\n";
  text += table({"time", "kind", "local", "peer", "after", "dropped out / in", "held out / in", "by us",
                 "the app's record", "evidence"},
                rows);
  return text + rest_of(in_window, "kernel/events.jsonl");
}

std::string app_errors_section(const ReportInputs& inputs) {
  if (!inputs.plan.drill.app) return {};
  Rows rows;
  std::size_t unmatched = 0;
  for (const auto& found : inputs.findings.app_errors) {
    if (found.failure || found.lookup || !(found.in_window || found.maybe_in_window) || ++unmatched > kMostRows) continue;
    rows.push_back({when(inputs.evidence, found.earliest_ns), cell(found.error.type), cell(found.error.exception_type),
                    found.network_kind ? "yes" : "no", cell(found.error.message),
                    cell(fmt::format("{}:{}", found.error.ref.file, found.error.ref.line_start))});
  }
  std::string text = heading(Heading::kAppErrors, inputs.language);
  if (const auto& shift = inputs.findings.timestamp_offset_suspected_ns)
    text += fmt::format("The app's stamps look shifted by {:.0f} min.\n\n", static_cast<double>(*shift) / 60e9);
  if (const auto& delay = inputs.findings.record_delay)
    text += fmt::format("The app stamps its records {:+.2f} s from the failure, give or take {:.2f} s, by {} differences that "
                        "agree; errors and failures were paired by that.\n\n",
                        static_cast<double>(delay->delay_ns) / 1e9, static_cast<double>(delay->slack_ns) / 1e9,
                        delay->pairs);
  if (inputs.findings.components_not_exact > 0)
    text += fmt::format("Too many errors and failures are near each other to find the best pairs: {} groups were paired "
                        "nearest first.\n\n",
                        inputs.findings.components_not_exact);
  if (rows.empty()) return text + "None.\n";
  return text + table({"time", "type", "exception", "network", "message", "evidence"}, rows) +
         rest_of(unmatched, "fingerprint/snapshots.jsonl");
}

}  // namespace brownout::bundle
