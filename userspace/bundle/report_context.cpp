// SPDX-License-Identifier: MIT
// Of what, when and by whom; how it was injected, as planned; and what the bundle is.
#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "report_headings.hpp"
#include "report_sections.hpp"
#include "report_text.hpp"
#include "report_words.hpp"
#include "run_log.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;

std::string said(const ReportInputs& inputs, const char* name, const char* pointer) {
  return fmt::format("| {} | {} |\n", name, cell(manifest_text(inputs.manifest, pointer)));
}

std::string utc(const events::Evidence& evidence, std::int64_t t_mono_ns) {
  return format_utc(events::to_realtime_ns(evidence, t_mono_ns));
}

// What the app itself wrote of its run, as its manifest stood last.
std::string by_the_app(const ReportInputs& inputs) {
  const events::TimelineEntry* last = nullptr;
  for (const auto& entry : inputs.evidence.timeline)
    if (entry.kind == "app_manifest" && entry.fields.at("manifest").is_object()) last = &entry;
  if (last == nullptr) return "\nThe app's own account of its run: not checked, no manifest of it was seen.\n";
  std::vector<std::vector<std::string>> rows;
  for (const char* key : {"mode", "status", "start_time", "end_time", "stop_detected", "stop_time", "stop_reason",
                          "git_commit", "docker_image_tag"}) {
    const auto& manifest = last->fields.at("manifest");
    if (!manifest.contains(key)) continue;
    const auto& value = manifest.at(key);
    rows.push_back({key, cell(value.is_string() ? value.get<std::string>() : value.dump())});
  }
  const auto where = pointers({last->ref});
  if (rows.empty()) return fmt::format("\nThe app's own manifest says neither mode nor status ({}).\n", where);
  return fmt::format("\nThe app's own account, as its manifest stood last ({}):\n\n", where) + table({"field", "value"}, rows);
}

std::string window_row(const ReportInputs& inputs, std::uint32_t phase) {
  const auto found = inputs.evidence.windows.find(phase);
  const auto name = events::phase_name(phase);
  if (found == inputs.evidence.windows.end()) return fmt::format("| {} | it did not begin |\n", name);
  const auto& [start, end, complete] = found->second;
  return fmt::format("| {} | {} to {}{} |\n", name, utc(inputs.evidence, start), utc(inputs.evidence, end),
                     complete ? "" : ", cut short");
}

// Which run of its target it is, and which one was before.
std::string run_log_rows(const events::Evidence& evidence) {
  const auto run_log = recorded_run_log(evidence);
  if (run_log.is_null()) return {};
  const auto run = numbered_run(run_log);
  if (!run) return fmt::format("| run log | none: {} |\n", cell(why_not_numbered(run_log)));
  std::string text = fmt::format("| run log | run {} of {} on this host |\n", run->number, cell(run->target));
  text += fmt::format("| before it | {} |\n", run->before ? cell(describe(*run->before)) : "none of this target");
  for (const auto& problem : run->problems) text += fmt::format("| run log damaged | {} |\n", cell(problem));
  return text;
}

std::string planned_faults(const ReportInputs& inputs) {
  std::string text;
  for (const auto& fault : inputs.plan.faults)
    text += fmt::format("- {} (drill.yaml:{})\n", prose(fault.label), fault.drill_line);
  return text;
}

}  // namespace

std::string context_section(const ReportInputs& inputs) {
  std::string text = heading(Heading::kContext, inputs.language) + "| | |\n| --- | --- |\n";
  text += said(inputs, "run", "/run_id") + said(inputs, "target", "/target/name");
  text += said(inputs, "container", "/target/container_id") + said(inputs, "image", "/target/image");
  text += said(inputs, "host", "/host/hostname") + said(inputs, "kernel", "/host/kernel_release");
  text += said(inputs, "operator", "/operator/user") + said(inputs, "brownout", "/tool/version");
  text += said(inputs, "commit", "/tool/commit") + said(inputs, "sealed", "/sealed_utc");
  for (const std::uint32_t phase : {BROWNOUT_PHASE_BASELINE, BROWNOUT_PHASE_INJECT, BROWNOUT_PHASE_RECOVERY})
    text += window_row(inputs, phase);
  text += said(inputs, "how it ended", "/ending/ending") + said(inputs, "detail", "/ending/detail");
  text += run_log_rows(inputs.evidence);
  for (const auto& [key, value] : inputs.plan.drill.labels) text += fmt::format("| label {} | {} |\n", cell(key), cell(value));
  return text + by_the_app(inputs);
}

std::string injection_method_section(const ReportInputs& inputs) {
  std::string text = heading(Heading::kInjectionMethod, inputs.language);
  text += "From the host, on the host-side end of the container's veth pair. As planned before the drill:\n\n" + planned_faults(inputs);
  const auto hook = manifest_text(inputs.manifest, "/kernel_objects/injector/means/hook");
  text += fmt::format("\nBackend asked for: {}. Hook: {}. Each change to the host and its undoing is in actions.jsonl.\n",
                      drill::backend_name(inputs.plan.backend), hook == "-" ? "not recorded" : cell(hook));
  const auto window = timeline_refs(inputs.evidence, "phase", "inject");
  return text + (window.empty() ? "The window did not begin.\n"
                                : fmt::format("The window's edges: {}.\n", pointers(window)));
}

std::string degradation_section(const ReportInputs& inputs) {
  std::string text = heading(Heading::kDegradationEvidence, inputs.language);
  text += "What a successful drill would show, and what this one did:\n\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto* check : checks_of(inputs.verdict, {"pressure", "kernel_degradation", "telemetry", "gate", "recovered"}))
    rows.push_back({cell(check->name), check->expected.empty() ? "-" : cell(check->expected),
                    check->measured.empty() ? "-" : cell(check->measured),
                    std::string{verdict::word(check->outcome)}, pointers(check->evidence)});
  text += table({"check", "expected", "measured", "outcome", "evidence"}, rows);
  if (!inputs.plan.drill.app)
    text += "\nThe drill names no `app`: what the application recorded was not checked.\n";
  else if (!inputs.evidence.snapshots.empty() &&
           inputs.evidence.snapshots.front().status == events::SnapshotStatus::kAbsent)
    text += fmt::format("\nThe app's fingerprint was not there at the first look ({}).\n",
                        pointers({inputs.evidence.snapshots.front().ref}));
  return text;
}

std::string evidence_bundle_section(const ReportInputs& inputs) {
  const auto name = inputs.manifest.value("bundle", json("BUNDLE")); // somebody else's, until it is verified
  const auto bundle = shown(name.is_string() ? name.get<std::string>() : "BUNDLE");
  const auto missing = inputs.evidence.run_files ? fmt::to_string(inputs.evidence.run_files->missing_required.size())
                                                 : std::string{"not checked"};
  std::string text = heading(Heading::kEvidenceBundle, inputs.language) + "| | |\n| --- | --- |\n";
  text += fmt::format("| archive | {}.tar.gz |\n", cell(bundle));
  text += fmt::format("| its sha256 | in {0}.tar.gz.sha256 and {0}.report.txt beside it: an archive cannot hold its own |\n",
                      cell(bundle));
  text += said(inputs, "chain's head", "/chain/head") + said(inputs, "drill's sha256", "/drill_sha256");
  text += fmt::format("| missing_required_files_count | {} |\n", missing);
  const auto packaging = checks_of(inputs.verdict, {"bundle_complete"});
  if (!packaging.empty())
    text += fmt::format("| completeness | {}: {} ({}) |\n", verdict::word(packaging.front()->outcome),
                        cell(packaging.front()->detail), pointers(packaging.front()->evidence));
  return text + heading(Heading::kHowToCheck, inputs.language) +
         fmt::format("```\nsha256sum -c --strict {0}.tar.gz.sha256\ntar xzf {0}.tar.gz\n"
                     "cd {0} && sha256sum -c --strict SHA256SUMS.txt\nbrownout verify {0}.tar.gz\n```\n\n"
                     "The last one also judges again from the records, and refuses a verdict or a report that does not "
                     "follow from them. Digests show that nothing changed since sealing, not who sealed it: compare "
                     "the archive's sha256 with the one that was printed at the end of the drill.\n",
                     bundle);
}

}  // namespace brownout::bundle
