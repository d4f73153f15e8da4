// SPDX-License-Identifier: MIT
// Evidence of a drill whose process ended before it could seal: killed, or without room on the disk.
#include <algorithm>
#include <utility>

#include <unistd.h>

#include "brownout/clock.hpp"
#include "brownout/json_fields.hpp"
#include "brownout/run.hpp"
#include "manifest.hpp"
#include "run_log.hpp"
#include "staging.hpp"

namespace brownout::run {
namespace {

// The run directory's name, as far as the drill came to see it.
std::string run_id_of(const events::Evidence& evidence) {
  for (const auto& entry : evidence.timeline) {
    if (entry.kind != "app_manifest") continue;
    const auto& manifest = entry.fields.at("manifest");
    if (manifest.is_object() && manifest.value("run_id", nlohmann::json()).is_string()) return manifest.at("run_id");
  }
  const auto begun = evidence.clocks.empty()
                         ? realtime_ns()
                         : evidence.clocks.front().at_monotonic_ns + evidence.clocks.front().realtime_offset_ns;
  return "run_" + format_utc_compact(begun);
}

// How the run ended, where it was numbered.
Result<> log_end(const events::Evidence& evidence, const Outcome& outcome, const std::filesystem::path& directory) {
  const auto entry = std::ranges::find(evidence.timeline, "run_log", &events::TimelineEntry::kind);
  if (entry == evidence.timeline.end()) return {};
  const auto line = text_at(entry->fields, "/run/line_sha256");
  if (line.empty()) return {};
  auto log = RunLog::open_existing(directory);
  if (!log)
    return std::unexpected(std::move(log).error().with_hint("--run-log DIR names the one in which it was numbered."));
  return log_sealed(*log, line, outcome);
}

}  // namespace

Result<std::vector<std::filesystem::path>> unsealed(const std::filesystem::path& wanted) {
  std::error_code error;
  // The bundle goes beside it: "DIR/" is "DIR".
  auto directory = std::filesystem::absolute(wanted, error).lexically_normal();
  if (!directory.has_filename()) directory = directory.parent_path();
  if (std::filesystem::exists(directory / "timeline.jsonl", error) ||
      std::filesystem::exists(directory / "plan.json", error))
    return std::vector{directory};
  BROWNOUT_ASSIGN(auto found, Staging::unsealed_in(directory));
  if (found.empty())
    return fail(ErrorCode::kNotFound, "no unsealed evidence in " + directory.string(),
                "A drill keeps it beside where its bundle would be, in a directory .brownout-XXXXXX.");
  return found;
}

Result<Outcome> recover(const std::filesystem::path& evidence, const std::filesystem::path& out_directory,
                        const RecoverOptions& options) {
  std::optional<bundle::Signer> signer;
  if (!options.signing.key.empty()) {
    BROWNOUT_ASSIGN(signer, bundle::Signer::open(options.signing));
  }
  std::optional<bundle::TimestampAuthority> authority;
  if (!options.timestamp.empty()) {
    BROWNOUT_ASSIGN(authority, bundle::TimestampAuthority::open(options.timestamp));
  }
  BROWNOUT_ASSIGN(auto staging, Staging::take_over(evidence));
  BROWNOUT_ASSIGN(auto manifest, bundle::reopen_staging(staging.path()));
  BROWNOUT_ASSIGN(const auto redactor, bundle::staged_redactor(staging.path()));
  const std::int64_t now = realtime_ns();
  BROWNOUT_TRY(events::repair(staging.path(), {{"utc", format_utc(now)}, {"tool", describe_tool()}, {"uid", ::getuid()}},
                              redactor));
  BROWNOUT_ASSIGN(const auto judged, bundle::rejudge(staging.path(), std::nullopt));
  const auto run_id = run_id_of(judged.evidence);
  manifest.json["run_id"] = run_id;
  Outcome outcome{.verdict = judged.verdict, .run_id = run_id};
  BROWNOUT_ASSIGN(outcome.sealed,
                  bundle::seal(staging.path(), out_directory, bundle::bundle_name(run_id, judged.plan.drill.name, now),
                               manifest, judged.plan, judged.verdict, now, signer ? &*signer : nullptr,
                               authority ? &*authority : nullptr));
  outcome.has_bundle = true;
  outcome.exit_code = verdict::exit_code(judged.verdict.outcome);
  if (const auto logged = log_end(judged.evidence, outcome, options.run_log); !logged)
    outcome.run_log_problem = logged.error().render();
  staging.discard();
  return outcome;
}

}  // namespace brownout::run
