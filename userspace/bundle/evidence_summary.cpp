// SPDX-License-Identifier: MIT
#include "evidence_summary.hpp"

#include "brownout/clock.hpp"
#include "run_log.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;

json describe_windows(const events::Evidence& evidence) {
  json windows = json::object();
  for (const auto& [phase, window] : evidence.windows)
    windows[std::string{events::phase_name(phase)}] = {
        {"start_mono_ns", window.start_ns},
        {"end_mono_ns", window.end_ns},
        {"start_utc", format_utc(events::to_realtime_ns(evidence, window.start_ns))},
        {"end_utc", format_utc(events::to_realtime_ns(evidence, window.end_ns))},
        {"complete", window.complete}};
  return windows;
}

json describe_clocks(const events::Evidence& evidence) {
  json clocks = json::array();
  for (const auto& reading : evidence.clocks)
    clocks.push_back({{"at_monotonic_ns", reading.at_monotonic_ns},
                      {"realtime_offset_ns", reading.realtime_offset_ns},
                      {"boottime_offset_ns", reading.boottime_offset_ns},
                      {"uncertainty_ns", reading.uncertainty_ns}});
  return clocks;
}

std::string_view status_of(events::Ending ending) {
  if (ending == events::Ending::kCompleted) return "completed";
  return ending == events::Ending::kError ? "failed" : "interrupted";
}

// Ours; the app's own STOP fields are in its manifest, a copy of which is in the timeline.
json describe_stop(const events::Evidence& evidence) {
  json stop{{"stop_detected", false}, {"stop_time", nullptr}, {"stop_reason", nullptr}};
  for (const auto& entry : evidence.timeline)
    if (entry.kind == "stop")
      stop = {{"stop_detected", true},
              {"stop_time", format_utc(events::to_realtime_ns(evidence, entry.t_mono_ns))},
              {"stop_reason", entry.fields.at("source")},
              {"detail", entry.fields.at("detail")}};
  stop["status"] = status_of(evidence.ending);
  return stop;
}

json describe_capture(const findings::CaptureAccount& account) {
  json capture = {{"accounts_for_all", account.whole()}};
  for (const std::size_t d : {BROWNOUT_EGRESS, BROWNOUT_INGRESS}) {
    const auto& direction = account.directions[d];
    capture[d == BROWNOUT_EGRESS ? "egress" : "ingress"] = {{"hit", direction.hit()},
                                                            {"recorded", direction.recorded},
                                                            {"captured", direction.captured},
                                                            {"lost", direction.lost},
                                                            {"beyond", direction.beyond}};
  }
  return capture;
}

}  // namespace

json summarise(const events::Evidence& evidence, const findings::Findings& findings) {
  json summary = {{"windows", describe_windows(evidence)},
                  {"clocks", describe_clocks(evidence)},
                  {"stop", describe_stop(evidence)},
                  {"ending", {{"ending", events::ending_name(evidence.ending)}, {"detail", evidence.ending_detail}}},
                  {"cleanup", {{"recorded", evidence.cleanup_recorded}, {"leftovers", evidence.leftovers}}},
                  {"longest_sampling_gap_ns", evidence.longest_sampling_gap_ns},
                  {"run_changed", evidence.run_changed},
                  {"recovered", evidence.recovered},
                  {"not_observed", evidence.not_observed},
                  {"missing_required_files_count", evidence.run_files ? evidence.run_files->missing_required.size() : 0},
                  {"records",
                   {{"timeline", evidence.timeline.size()},
                    {"kernel_events", findings.events},
                    {"counters", evidence.counters.size()},
                    {"names", evidence.names.size()},
                    {"snapshots", evidence.snapshots.size()}}}};
  if (auto run_log = recorded_run_log(evidence); !run_log.is_null()) summary["run_log"] = std::move(run_log);
  if (findings.capture) summary["capture"] = describe_capture(*findings.capture);
  return summary;
}

}  // namespace brownout::bundle
