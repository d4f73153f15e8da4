// SPDX-License-Identifier: MIT
#include "timeline_summary.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

#include "names.hpp"

namespace brownout::events {
namespace {

using Handler = void (*)(Evidence&, const TimelineEntry&, Problem&);

bool is_open(const Window& window) { return window.end_ns == 0; }

void take_phase(Evidence& evidence, const TimelineEntry& entry, Problem& problem) {
  std::uint32_t phase = 0;
  std::string edge;
  decode_name(entry.fields, "phase", kPhases, phase, problem);
  read(entry.fields, "edge", edge, problem);
  if (problem) return;
  const auto found = evidence.windows.find(phase);
  if (edge == "start") {
    if (found != evidence.windows.end()) return problem.report(fmt::format("{} starts twice", phase_name(phase)));
    evidence.windows[phase] = {.start_ns = entry.t_mono_ns};
    return;
  }
  if (edge != "end" && edge != "cut") return problem.report("'edge' must be start, end or cut");
  if (found == evidence.windows.end() || !is_open(found->second))
    return problem.report(fmt::format("{} ends without having started", phase_name(phase)));
  if (entry.t_mono_ns < found->second.start_ns)
    return problem.report(fmt::format("{} ends before it starts", phase_name(phase)));
  found->second.end_ns = entry.t_mono_ns;
  found->second.complete = edge == "end";
}

void take_clock(Evidence& evidence, const TimelineEntry& entry, Problem& problem) {
  decode(entry.fields, evidence.clocks.emplace_back(), "clock", problem);
}

void take_ending(Evidence& evidence, const TimelineEntry& entry, Problem& problem) {
  std::uint32_t ending = 0;
  decode_name(entry.fields, "ending", kEndings, ending, problem);
  if (ending >= kEndings.size()) return problem.report("'ending' has an unknown value");
  evidence.ending = static_cast<Ending>(ending);
  read(entry.fields, "detail", evidence.ending_detail, problem);
}

void take_texts(const TimelineEntry& entry, const char* key, std::vector<std::string>& into, Problem& problem) {
  const auto* found = member(entry.fields, key, problem);
  if (found == nullptr) return;
  if (!found->is_array()) return problem.report(fmt::format("'{}' must be a list", key));
  for (const auto& text : *found) decode(text, into.emplace_back(), key, problem);
}

void take_cleanup(Evidence& evidence, const TimelineEntry& entry, Problem& problem) {
  std::int64_t duration_ns = 0;
  evidence.cleanup_recorded = true;
  take_texts(entry, "leftovers", evidence.leftovers, problem);
  read(entry.fields, "duration_ns", duration_ns, problem);
}

void take_sampling(Evidence& evidence, const TimelineEntry& entry, Problem& problem) {
  std::int64_t gap_ns = 0;
  read(entry.fields, "longest_gap_ns", gap_ns, problem);
  evidence.longest_sampling_gap_ns = std::max(evidence.longest_sampling_gap_ns, gap_ns);
}

void take_not_observed(Evidence& evidence, const TimelineEntry& entry, Problem& problem) {
  take_texts(entry, "items", evidence.not_observed, problem);
}

void take_names(Evidence& evidence, const TimelineEntry& entry, Problem& problem) {
  decode(entry.fields, evidence.name_counts.emplace(), "names", problem);
}

void take_run_changed(Evidence& evidence, const TimelineEntry& entry, Problem& problem) {
  evidence.run_changed = true;
  member(entry.fields, "newer", problem);
}
void take_recovered(Evidence& evidence, const TimelineEntry& entry, Problem& problem) {
  evidence.recovered = true;
  member(entry.fields, "by", problem);
  const auto* cuts = member(entry.fields, "cut", problem);
  if (cuts == nullptr) return;
  if (!cuts->is_array()) return problem.report("'cut' must be a list");
  for (const auto& cut : *cuts)
    for (const char* key : {"file", "after_line", "bytes"}) member(cut, key, problem);
}
void take_app_exited(Evidence& evidence, const TimelineEntry&, Problem&) { evidence.app_process_exited = true; }

// Kinds that are looked at as entries, not summed up: their fields only have to be what they should be.
template <typename T>
void need(const TimelineEntry& entry, std::initializer_list<const char*> keys, Problem& problem) {
  for (const char* key : keys) {
    T ignored{};
    read(entry.fields, key, ignored, problem);
  }
}

void check_stop(Evidence&, const TimelineEntry& entry, Problem& problem) {
  need<std::string>(entry, {"source", "detail"}, problem);
}
void check_action(Evidence&, const TimelineEntry& entry, Problem& problem) {
  need<std::string>(entry, {"what", "object", "result"}, problem);
}
void check_pressure(Evidence&, const TimelineEntry& entry, Problem& problem) {
  need<std::int64_t>(entry, {"completed", "wanted", "within_ns"}, problem);
}
void check_app_manifest(Evidence&, const TimelineEntry& entry, Problem& problem) {
  need<std::string>(entry, {"when"}, problem);
  member(entry.fields, "manifest", problem);
}
void check_target(Evidence&, const TimelineEntry& entry, Problem& problem) { member(entry.fields, "target", problem); }
void check_disk(Evidence&, const TimelineEntry& entry, Problem& problem) {
  need<std::int64_t>(entry, {"syncs", "longest_ns"}, problem);
}
void check_audit(Evidence&, const TimelineEntry& entry, Problem& problem) {
  const auto* facts = member(entry.fields, "facts", problem);
  if (facts == nullptr) return;
  if (!facts->is_object()) return problem.report("'facts' must be an object");
  for (const auto& [name, fact] : facts->items())
    for (const char* key : {"value", "source"}) member(fact, key, problem);
}
void check_run_log(Evidence&, const TimelineEntry& entry, Problem& problem) {
  need<std::string>(entry, {"path"}, problem);
  for (const char* key : {"run", "unavailable"}) member(entry.fields, key, problem);
}
void check_note(Evidence&, const TimelineEntry& entry, Problem& problem) {
  need<std::string>(entry, {"text"}, problem);
}

struct Kind { std::string_view name; Handler handle; };
constexpr std::array kKinds{
    Kind{"phase", take_phase},           Kind{"pressure", check_pressure},
    Kind{"clock", take_clock},           Kind{"stop", check_stop},
    Kind{"ending", take_ending},         Kind{"action", check_action},
    Kind{"app_manifest", check_app_manifest}, Kind{"sampling", take_sampling},
    Kind{"not_observed", take_not_observed},  Kind{"cleanup", take_cleanup},
    Kind{"run_changed", take_run_changed},    Kind{"app_exited", take_app_exited},
    Kind{"target", check_target},        Kind{"note", check_note},
    Kind{"names", take_names},           Kind{"disk", check_disk},
    Kind{"recovered", take_recovered},   Kind{"audit", check_audit},
    Kind{"run_log", check_run_log}};

// A phase that nobody closed (the drill was killed) ends with the last thing that the drill wrote down.
void close_open_windows(Evidence& evidence) {
  std::int64_t last_ns = 0;
  for (const auto& entry : evidence.timeline) {
    if (entry.kind == "recovered") break;
    last_ns = std::max(last_ns, entry.t_mono_ns);
  }
  for (auto& [phase, window] : evidence.windows)
    if (is_open(window)) window.end_ns = std::max(last_ns, window.start_ns);
}

}  // namespace

Result<> summarise_timeline(Evidence& evidence) {
  for (const auto& entry : evidence.timeline) {
    Problem problem;
    const auto kind = std::ranges::find(kKinds, std::string_view{entry.kind}, &Kind::name);
    if (kind == kKinds.end()) {
      problem.report(fmt::format("unknown kind '{}'", entry.kind));
    } else {
      kind->handle(evidence, entry, problem);
    }
    if (problem)
      return fail(ErrorCode::kFormat, fmt::format("{}:{}: {}", entry.ref.file, entry.ref.line_start, problem.text()));
  }
  close_open_windows(evidence);
  return {};
}

}  // namespace brownout::events
