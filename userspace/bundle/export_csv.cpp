// SPDX-License-Identifier: MIT
// The axis of time as a table: RFC 4180 with line feeds, a header, and no cell that would need quotes.
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "export_formats.hpp"
#include "time_series.hpp"

namespace brownout::bundle {
namespace {

struct Column { std::string_view name; const char* pointer; };
constexpr std::array<Column, 17> kColumns{{{"t_mono_ns", "/t_mono_ns"},
                                           {"utc", "/utc"},
                                           {"phase", "/phase"},
                                           {"calls_started", "/calls/started"},
                                           {"calls_completed", "/calls/completed"},
                                           {"calls_failed", "/calls/failed"},
                                           {"failures", "/failures/all"},
                                           {"failures_injected", "/failures/injected"},
                                           {"dropped_egress_packets", "/dropped/egress"},
                                           {"dropped_ingress_packets", "/dropped/ingress"},
                                           {"delayed_egress_packets", "/delayed/egress"},
                                           {"delayed_ingress_packets", "/delayed/ingress"},
                                           {"app_errors", "/app_errors"},
                                           {"app_api_calls", "/fingerprint/api_calls"},
                                           {"app_orders_sent", "/fingerprint/orders_sent"},
                                           {"app_error_count", "/fingerprint/error_count"},
                                           {"verdict", ""}}};

std::string cell_at(const nlohmann::json& line, const char* pointer) {
  const nlohmann::json::json_pointer place{pointer};
  if (!line.contains(place)) return {};
  const auto& value = line.at(place);
  return value.is_null() ? std::string{} : value.is_string() ? value.get<std::string>() : value.dump();
}

std::string row_of(const nlohmann::json& line, std::string_view verdict) {
  std::vector<std::string> cells;
  for (const auto& column : kColumns)
    cells.push_back(*column.pointer == '\0' ? std::string{verdict} : cell_at(line, column.pointer));
  return fmt::format("{}\n", fmt::join(cells, ","));
}

}  // namespace

std::string export_csv(const ExportInputs& inputs) {
  const auto& judgement = inputs.judgement;
  const auto verdict = verdict::name(judgement.verdict.outcome);
  std::vector<std::string_view> names;
  for (const auto& column : kColumns) names.push_back(column.name);
  std::string text = fmt::format("{}\n", fmt::join(names, ","));
  const auto lines = render_time_series(judgement.plan, judgement.evidence, judgement.findings);
  for (std::string_view rest = lines; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1))
    text += row_of(nlohmann::json::parse(rest.substr(0, rest.find('\n'))), verdict);
  // Not even one sample: the verdict is said all the same.
  if (lines.empty()) text += row_of(nlohmann::json::object(), verdict);
  return text;
}

}  // namespace brownout::bundle
