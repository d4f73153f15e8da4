// SPDX-License-Identifier: MIT
// A drill as metrics, stamped with its end. Labels are OpenTelemetry's names where it has one, dots as underscores; it
// has none for retransmits, RTOs and injected packets: docs/exports.md.
#include <array>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "brownout/json_fields.hpp"
#include "export_formats.hpp"
#include "open_metrics.hpp"

namespace brownout::bundle {
namespace {

using verdict::Outcome;

constexpr std::array kOutcomes{Outcome::kPass, Outcome::kFail, Outcome::kInconclusive, Outcome::kError};

std::string phase_of(std::uint32_t phase) { return std::string{events::phase_name(phase)}; }

void add_info(OpenMetrics& metrics, const ExportInputs& inputs) {
  Labels labels{{"drill", inputs.judgement.plan.drill.name}, {"drill_sha256", inputs.judgement.drill_sha256}};
  for (const auto& [name, pointer] : {std::pair{"bundle", "/bundle"},
                                      {"run_id", "/run_id"},
                                      {"host_name", "/host/hostname"},
                                      {"container_id", "/target/container_id"},
                                      {"container_name", "/target/name"},
                                      {"container_image_name", "/target/image"},
                                      {"brownout_version", "/tool/version"}})
    if (auto value = text_at(inputs.manifest, pointer); !value.empty())
      labels.emplace_back(name, std::move(value));
  metrics.family("brownout_drill", "info", "", "The drill and what it was run against.");
  metrics.sample("_info", labels, std::uint64_t{1});
}

void add_verdict(OpenMetrics& metrics, const verdict::Verdict& verdict) {
  metrics.family("brownout_verdict", "stateset", "",
                 "The verdict. Only PASS is one; NOT_MEASURABLE says that nothing was proven.");
  for (const auto outcome : kOutcomes)
    metrics.sample("", {{"brownout_verdict", std::string{verdict::name(outcome)}}},
                   std::uint64_t{verdict.outcome == outcome});
  metrics.family("brownout_check", "stateset", "", "Outcome of each check, with its reason.");
  for (const auto& check : verdict.checks)
    for (const auto outcome : kOutcomes)
      metrics.sample("", {{"check", check.name}, {"reason", std::string{verdict::name(check.reason)}},
                          {"brownout_check", std::string{verdict::word(outcome)}}},
                     std::uint64_t{check.outcome == outcome});
}

void add_calls(OpenMetrics& metrics, const findings::Findings& findings) {
  using Calls = findings::CallStats;
  metrics.family("brownout_phase_duration_seconds", "gauge", "seconds", "How long the phase lasted.");
  for (const auto& [phase, calls] : findings.calls) metrics.sample("", {{"phase", phase_of(phase)}}, calls.seconds);
  static constexpr std::array<std::tuple<const char*, std::uint64_t Calls::*, const char*>, 3> kCounts{
      {{"brownout_calls_started", &Calls::started,
        "Calls of the application on flows that the faults hit, started in the phase."},
       {"brownout_calls_completed", &Calls::completed, "Of calls that started in the phase, those that were answered."},
       {"brownout_calls_failed", &Calls::failed,
        "Of calls that started in the phase, those that failed in the kernel."}}};
  for (const auto& [name, count, help] : kCounts) {
    metrics.family(name, "counter", "", help);
    for (const auto& [phase, calls] : findings.calls)
      metrics.sample("_total", {{"phase", phase_of(phase)}}, calls.*count);
  }
}

void add_durations(OpenMetrics& metrics, const findings::Findings& findings) {
  using Calls = findings::CallStats;
  static constexpr std::array<std::pair<const char*, std::optional<double> Calls::*>, 4> kQuantiles{
      {{"0.5", &Calls::p50_ms}, {"0.95", &Calls::p95_ms}, {"0.99", &Calls::p99_ms}, {"1.0", &Calls::max_ms}}};
  metrics.family("brownout_call_duration_seconds", "summary", "seconds",
                 "From the first byte of a call to the first byte of its answer, by the phase in which it started.");
  for (const auto& [phase, calls] : findings.calls) {
    for (const auto& [quantile, ms] : kQuantiles)
      if (const auto& value = calls.*ms)
        metrics.sample("", {{"phase", phase_of(phase)}, {"quantile", quantile}}, *value / 1000);
    metrics.sample("_count", {{"phase", phase_of(phase)}}, calls.completed);
  }
}

void add_failures(OpenMetrics& metrics, const findings::Findings& findings) {
  std::map<std::tuple<std::string, std::string, bool>, std::uint64_t> failures;
  for (const auto& failure : findings.failures)
    ++failures[{std::string{events::event_kind_name(failure.event.kind)}, phase_of(failure.event.phase),
                failure.injected}];
  metrics.family("brownout_call_failures", "counter", "",
                 "Failed calls by kind (error.type) and whether what was injected explains them.");
  for (const auto& [key, count] : failures)
    metrics.sample("_total", {{"error_type", std::get<0>(key)}, {"phase", std::get<1>(key)},
                              {"injected", std::get<2>(key) ? "true" : "false"}, {"network_transport", "tcp"}}, count);
  metrics.family("brownout_call_failures_attributable", "gauge", "",
                 "Failed calls of the window that what was injected explains.");
  metrics.sample("", {}, findings.failures_attributable);
  metrics.family("brownout_call_failures_recorded", "gauge", "", "Of these, the ones that the application recorded.");
  metrics.sample("", {}, findings.failures_recorded);
  metrics.family("brownout_tcp_retransmits", "counter", "",
                 "Retransmitted segments in the window. No failures by themselves.");
  metrics.sample("_total", {{"phase", "inject"}}, findings.retransmits_window);
  metrics.family("brownout_tcp_rtos", "counter", "",
                 "Retransmission timeouts in the window. No failures by themselves.");
  metrics.sample("_total", {{"phase", "inject"}}, findings.rtos_window);
}

// As the container sees it.
std::string io_direction(int direction) { return direction == BROWNOUT_EGRESS ? "transmit" : "receive"; }

void add_faults(OpenMetrics& metrics, const Judgement& judgement) {
  using Counters = brownout_fault_counters;
  static constexpr std::array<std::tuple<const char*, brownout_tally Counters::*, const char*>, 3> kTallies{{
      {"brownout_fault_matched", &Counters::matched, "that the fault matched"},
      {"brownout_fault_decided", &Counters::decided, "that were drawn to be hit"},
      {"brownout_fault_applied", &Counters::applied, "that were dropped or held"}}};
  static constexpr std::array<std::pair<const char*, __u64 brownout_tally::*>, 2> kUnits{
      {{"packets", &brownout_tally::packets}, {"bytes", &brownout_tally::bytes}}};
  for (const auto& [name, tally, help] : kTallies)
    for (const auto& [unit, count] : kUnits) {
      metrics.family(fmt::format("{}_{}", name, unit), "counter", unit,
                     fmt::format("In the window, {} {}.", unit, help));
      for (const auto& effect : judgement.findings.effects)
        metrics.sample("_total", {{"fault", judgement.plan.faults.at(effect.fault).label},
                                  {"network_io_direction", io_direction(effect.direction)}},
                       std::uint64_t{effect.counters.*tally.*count});
    }
}

void add_app(OpenMetrics& metrics, const Judgement& judgement) {
  if (!judgement.plan.drill.app) return;
  const auto& findings = judgement.findings;
  metrics.family("brownout_app_errors", "counter", "",
                 "Elements of the application's error_events, and whether a failed call explains them.");
  std::uint64_t matched = 0;
  for (const auto& error : findings.app_errors) matched += error.failure.has_value();
  metrics.sample("_total", {{"matched", "true"}}, matched);
  metrics.sample("_total", {{"matched", "false"}}, findings.app_errors.size() - matched);
  metrics.family("brownout_app_error_count_growth", "gauge", "",
                 "Growth of the application's error_count over the window, between bounds.");
  for (const auto& [bound, value] :
       {std::pair{"lower", findings.error_count.lower}, {"upper", findings.error_count.upper}})
    if (value) metrics.sample("", {{"bound", bound}}, *value);
}

void add_recovery(OpenMetrics& metrics, const findings::Findings& findings) {
  if (!findings.recovered_after_s) return;
  metrics.family("brownout_recovery_duration_seconds", "gauge", "seconds",
                 "From the end of the fault until calls were as before.");
  metrics.sample("", {}, *findings.recovered_after_s);
}

}  // namespace

std::string export_open_metrics(const ExportInputs& inputs) {
  const auto& judgement = inputs.judgement;
  OpenMetrics metrics{span_of(judgement.evidence).end_ns};
  add_info(metrics, inputs);
  add_verdict(metrics, judgement.verdict);
  add_calls(metrics, judgement.findings);
  add_durations(metrics, judgement.findings);
  add_failures(metrics, judgement.findings);
  add_faults(metrics, judgement);
  add_app(metrics, judgement);
  add_recovery(metrics, judgement.findings);
  return metrics.end();
}

}  // namespace brownout::bundle
