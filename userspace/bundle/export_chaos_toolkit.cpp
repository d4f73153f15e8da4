// SPDX-License-Identifier: MIT
// A journal as Chaos Toolkit writes it: checks are the probes of its steady-state hypothesis, faults its method. It has
// no inconclusive: as with a probe that could not be asked, the experiment `failed` and has deviated; `extensions` says
// what it is really.
#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "brownout/json_fields.hpp"
#include "document.hpp"
#include "export_formats.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;
using verdict::Outcome;

// Taken from the experiment of any version: what is written here is common to all of them.
constexpr const char* kWrittenFor = "1.0.0";

json provider(json arguments) {
  return {{"type", "process"}, {"path", "brownout"}, {"arguments", std::move(arguments)}};
}

json probe_of(const verdict::Check& check) {
  return {{"type", "probe"}, {"name", check.name}, {"tolerance", verdict::word(Outcome::kPass)},
          {"provider", provider({"explain", "BUNDLE", check.name})}};
}

json action_of(const plan::PlannedFault& fault) {
  return {{"type", "action"}, {"name", fmt::format("fault {}: {}", fault.index + 1, fault.label)},
          {"provider", provider({"run", "drill.yaml"})}};
}

// Of an activity: when, and how long.
void add_times(json& run, const Span& span) {
  run["start"] = format_utc(span.start_ns);
  run["end"] = format_utc(span.end_ns);
  run["duration"] = seconds(span.end_ns - span.start_ns);
}

bool is_answered(const verdict::Check& check) {
  return check.outcome == Outcome::kPass || check.outcome == Outcome::kFail;
}

json run_of(const verdict::Check& check, const Span& span) {
  json run{{"activity", probe_of(check)},
           {"output", verdict::word(check.outcome)},
           {"status", is_answered(check) ? "succeeded" : "failed"},
           {"tolerance_met", check.outcome == Outcome::kPass}};
  if (!is_answered(check)) run["exception"] = {note_on(check)};
  add_times(run, span);
  return run;
}

Span window_of(const events::Evidence& evidence, const Span& whole) {
  const auto window = evidence.windows.find(BROWNOUT_PHASE_INJECT);
  if (window == evidence.windows.end()) return {whole.end_ns, whole.end_ns};
  return {events::to_realtime_ns(evidence, window->second.start_ns),
          events::to_realtime_ns(evidence, window->second.end_ns)};
}

json run_of(const plan::PlannedFault& fault, const Judgement& judgement, const Span& whole) {
  const bool acted = judgement.evidence.windows.contains(BROWNOUT_PHASE_INJECT);
  json run{{"activity", action_of(fault)}, {"output", nullptr}, {"status", acted ? "succeeded" : "failed"}};
  if (!acted) run["exception"] = {"the drill ended before its faults began to act"};
  for (const auto& effect : judgement.findings.effects)
    if (effect.fault == fault.index)
      run["output"][effect.direction == BROWNOUT_EGRESS ? "egress" : "ingress"] = {
          {"matched_packets", effect.counters.matched.packets}, {"applied_packets", effect.counters.applied.packets}};
  add_times(run, window_of(judgement.evidence, whole));
  return run;
}

const char* status_of(const Judgement& judgement) {
  switch (judgement.verdict.outcome) {
    case Outcome::kPass:
    case Outcome::kFail: return "completed";
    case Outcome::kInconclusive: return judgement.evidence.ending == events::Ending::kSignal ? "interrupted" : "failed";
    case Outcome::kError: return "aborted";
  }
  return "aborted";
}

json experiment_of(const Judgement& judgement) {
  const auto& verdict = judgement.verdict;
  json probes = json::array(), method = json::array();
  for (const auto& check : verdict.checks) probes.push_back(probe_of(check));
  for (const auto& fault : judgement.plan.faults) method.push_back(action_of(fault));
  return {
      {"version", "1.0.0"},
      {"title", judgement.plan.drill.name},
      {"description", "A drill of brownout: degrade one container's network from the host, and prove what happened."},
      {"steady-state-hypothesis", {{"title", "Every check of the drill passes"}, {"probes", std::move(probes)}}},
      {"method", std::move(method)},
      {"rollbacks", json::array()},
      {"extensions",
       {{{"name", "brownout"},
         {"verdict", verdict::name(verdict.outcome)},
         {"note", note_on(verdict)},
         {"reasons", verdict.reasons},
         {"drill_sha256", judgement.drill_sha256}}}}};
}

}  // namespace

std::string export_chaos_toolkit(const ExportInputs& inputs) {
  const auto& judgement = inputs.judgement;
  const auto span = span_of(judgement.evidence);
  const bool passed = judgement.verdict.outcome == Outcome::kPass;
  json probes = json::array(), run = json::array();
  for (const auto& check : judgement.verdict.checks) probes.push_back(run_of(check, span));
  for (const auto& fault : judgement.plan.faults) run.push_back(run_of(fault, judgement, span));
  json journal{{"chaoslib-version", kWrittenFor},
               {"platform", fmt::format("Linux-{}-{}", text_at(inputs.manifest, "/host/kernel_release"),
                                        text_at(inputs.manifest, "/host/machine"))},
               {"node", text_at(inputs.manifest, "/host/hostname")},
               {"experiment", experiment_of(judgement)},
               {"status", status_of(judgement)},
               {"deviated", !passed},
               {"steady_states",
                {{"before", nullptr},
                 {"during", json::array()},
                 {"after", {{"steady_state_met", passed}, {"probes", std::move(probes)}}}}},
               {"run", std::move(run)},
               {"rollbacks", json::array()}};
  add_times(journal, span);
  return document(journal);
}

}  // namespace brownout::bundle
