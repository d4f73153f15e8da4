// SPDX-License-Identifier: MIT
// What failed and what the app recorded, each with its moment.
#include <fmt/format.h>

#include "html_sections.hpp"
#include "report_text.hpp"

namespace brownout::bundle {
namespace {

constexpr const char* kSection = "moments";

std::string place(const events::Ref& ref) { return fmt::format("{}:{}", ref.file, ref.line_start); }

std::string kind_of(const events::AppError& error) {
  return shown(error.exception_type.empty() ? error.type : fmt::format("{} {}", error.type, error.exception_type));
}

std::string peer_of(const findings::Failure& failure) {
  return shown(with_names(events::endpoint(failure.event.flow.peer_address, failure.event.flow.peer_port), failure.names));
}

std::string injected_on(const brownout_event& event) {
  return fmt::format("{} dropped, {} held", event.dropped[BROWNOUT_EGRESS] + event.dropped[BROWNOUT_INGRESS],
                     event.held[BROWNOUT_EGRESS] + event.held[BROWNOUT_INGRESS]);
}

std::string later(std::int64_t ns) { return fmt::format("{:+.0f} ms", static_cast<double>(ns) / 1e6); }

HtmlTable pairs(const ReportInputs& inputs, const Axis& axis) {
  HtmlTable table{kSection, "Failed calls that the app recorded",
                  {"when", "failed call", "in the window", "peer", "after", "injected on its flow", "the app's record", "recorded",
                   "evidence"}};
  table.moments().when_empty("None.");
  for (const auto& failure : inputs.findings.failures) {
    if (!failure.app_error) continue;
    const auto& found = inputs.findings.app_errors.at(*failure.app_error);
    table.add({axis.second(failure.t_mono_ns), events::event_kind_name(failure.event.kind),
               failure.in_window ? "yes" : "no", peer_of(failure),
               milliseconds(static_cast<std::int64_t>(failure.event.duration_ns)), injected_on(failure.event),
               kind_of(found.error), later(found.latest_ns - failure.t_mono_ns),
               place(failure.ref) + ", " + place(found.error.ref)});
  }
  return table;
}

HtmlTable unrecorded(const ReportInputs& inputs, const Axis& axis) {
  const bool app = inputs.plan.drill.app.has_value();
  HtmlTable table{kSection, app ? "Failed calls that the app did not record" : "Failed calls",
                  {"when", "failed call", "in the window", "peer", "after", "injected on its flow", "by us", "evidence"}};
  table.moments().when_empty("None.");
  for (const auto& failure : inputs.findings.failures)
    if (!failure.app_error)
      table.add({axis.second(failure.t_mono_ns), events::event_kind_name(failure.event.kind),
                 failure.in_window ? "yes" : "no", peer_of(failure),
                 milliseconds(static_cast<std::int64_t>(failure.event.duration_ns)), injected_on(failure.event),
                 failure.injected ? "yes" : "no", place(failure.ref)});
  return table;
}

HtmlTable unexplained(const ReportInputs& inputs, const Axis& axis) {
  HtmlTable table{kSection, "Errors of the app that no failed call explains",
                  {"when", "type", "in the window", "of the network", "message", "evidence"}};
  table.moments().when_empty("None.");
  for (const auto& found : inputs.findings.app_errors)
    if (!found.failure && !found.lookup)
      table.add({axis.second(found.latest_ns), kind_of(found.error),
                 found.in_window ? "yes" : found.maybe_in_window ? "maybe" : "no", found.network_kind ? "yes" : "no",
                 shown(found.error.message), place(found.error.ref)});
  return table;
}

HtmlTable lookups(const ReportInputs& inputs, const Axis& axis) {
  HtmlTable table{kSection, "DNS queries that failed", {"when", "kind", "name", "after", "by us", "recorded", "evidence"}};
  table.moments().note("They are not counted as failed calls: a resolver asks again, and asks others.");
  for (const auto& lookup : inputs.findings.lookups)
    table.add({axis.second(lookup.t_mono_ns), events::event_kind_name(lookup.event.kind),
               lookup.name.empty() ? "-" : shown(lookup.name),
               milliseconds(static_cast<std::int64_t>(lookup.event.duration_ns)), lookup.injected ? "yes" : "no",
               lookup.app_error ? "yes" : "no", place(lookup.ref)});
  return table;
}

}  // namespace

void add_moments(const ReportInputs& inputs, const Axis& axis, HtmlTables& tables) {
  if (inputs.plan.drill.app) tables.push_back(pairs(inputs, axis));
  tables.push_back(unrecorded(inputs, axis));
  if (inputs.plan.drill.app) tables.push_back(unexplained(inputs, axis));
  if (!inputs.findings.lookups.empty()) tables.push_back(lookups(inputs, axis));
}

}  // namespace brownout::bundle
