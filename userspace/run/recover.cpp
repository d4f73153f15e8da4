// SPDX-License-Identifier: MIT
// Evidence of a drill whose process ended before it could seal: killed, or without room on the disk.
#include <utility>

#include <unistd.h>

#include "brownout/clock.hpp"
#include "brownout/run.hpp"
#include "manifest.hpp"
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
                        const bundle::SigningOptions& signing) {
  std::optional<bundle::Signer> signer;
  if (!signing.key.empty()) {
    BROWNOUT_ASSIGN(signer, bundle::Signer::open(signing));
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
  Outcome outcome{.verdict = judged.verdict};
  BROWNOUT_ASSIGN(outcome.sealed,
                  bundle::seal(staging.path(), out_directory, bundle::bundle_name(run_id, judged.plan.drill.name, now),
                               manifest, judged.plan, judged.verdict, now, signer ? &*signer : nullptr));
  outcome.has_bundle = true;
  outcome.exit_code = verdict::exit_code(judged.verdict.outcome);
  staging.discard();
  return outcome;
}

}  // namespace brownout::run
