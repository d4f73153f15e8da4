// SPDX-License-Identifier: MIT
#include "content_check.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "actions.hpp"
#include "brownout/clock.hpp"
#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "brownout/text.hpp"
#include "chain_check.hpp"
#include "document.hpp"
#include "evidence_summary.hpp"
#include "host_summary.hpp"
#include "html_page.hpp"
#include "layout.hpp"
#include "recorded_plan.hpp"
#include "redactions.hpp"
#include "run_directory_copy.hpp"
#include "run_log.hpp"
#include "schemas.hpp"
#include "shards.hpp"
#include "time_series.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;

// Where a claimed verdict departs from the one that follows: the outcome where that differs, else the first place.
std::string difference(const json& claimed, const json& follows) {
  const auto said = claimed.is_object() ? claimed.value("verdict", json()) : json();
  if (said != follows.at("verdict"))
    return fmt::format("it says {}, they say {}", said.dump(), follows.at("verdict").dump());
  const auto changes = json::diff(claimed, follows);
  if (changes.empty()) return "not as brownout writes it";
  return fmt::format("{} in both, but different at {}; a brownout with other rules or wording may have sealed it "
                     "(tool.commit in {})",
                     said.dump(), changes[0].at("path").dump(), kManifest);
}

class ContentCheck {
 public:
  ContentCheck(std::filesystem::path directory, std::string name, const Members& members)
      : directory_(std::move(directory)), name_(std::move(name)), members_(members) {}

  // In the order in which one rests on the other; an Error ends it, as what follows would only repeat it.
  Result<> run(verdict::Verdict& recomputed) {
    BROWNOUT_TRY(read_manifest());
    BROWNOUT_TRY(check_schemas());
    BROWNOUT_ASSIGN(const auto plan, recompile());
    check_jitter_tables(plan);
    BROWNOUT_ASSIGN(const auto reading, findings::read(plan, directory_));
    const auto& [evidence, findings] = reading;
    check_summary(evidence, findings);
    check_identity(plan, evidence);
    check_chain(evidence);
    check_required(plan, evidence);
    check_capture(plan, evidence);
    BROWNOUT_TRY(check_run_directory());
    BROWNOUT_TRY(check_redactions(plan));
    BROWNOUT_TRY(check_host(plan, evidence));
    recomputed = verdict::judge(plan, evidence, findings);
    BROWNOUT_TRY(check_verdict(recomputed));
    BROWNOUT_TRY(check_report(plan, evidence, findings, recomputed));
    return check_time_series(plan, evidence, findings);
  }
  std::vector<std::string> problems() { return std::move(problems_); }
  std::vector<std::string> held() { return std::move(held_); }

 private:
  Result<std::string> text_of(std::string_view path) const { return read_file(directory_ / path, kLargestDocument); }
  void report(std::string_view problem) { problems_.push_back(visible(problem)); }

  Result<> read_manifest();
  Result<> check_schemas();
  Result<plan::Plan> recompile();
  void check_jitter_tables(const plan::Plan& plan);
  void check_summary(const events::Evidence& evidence, const findings::Findings& findings);
  void check_identity(const plan::Plan& plan, const events::Evidence& evidence);
  void check_chain(const events::Evidence& evidence);
  void check_required(const plan::Plan& plan, const events::Evidence& evidence);
  void check_capture(const plan::Plan& plan, const events::Evidence& evidence);
  Result<> check_run_directory();
  Result<> check_redactions(const plan::Plan& plan);
  Result<> check_host(const plan::Plan& plan, const events::Evidence& evidence);
  Result<> check_verdict(const verdict::Verdict& recomputed);
  Result<> check_report(const plan::Plan& plan, const events::Evidence& evidence, const findings::Findings& findings,
                        const verdict::Verdict& recomputed);
  Result<> check_time_series(const plan::Plan& plan, const events::Evidence& evidence,
                             const findings::Findings& findings);
  void expect_in_manifest(const char* key, const json& wanted, std::string_view source);

  std::filesystem::path directory_;
  std::string name_;
  const Members& members_;
  json manifest_;
  std::vector<std::string> problems_, held_;
};

Result<> ContentCheck::read_manifest() {
  BROWNOUT_ASSIGN(const auto text, text_of(kManifest));
  BROWNOUT_ASSIGN(manifest_, events::parse_json(text, kManifest));
  if (!manifest_.is_object()) return fail(ErrorCode::kFormat, fmt::format("{} is not an object", kManifest));
  if (manifest_.value("bundle_format", json()) != kFormat)
    return fail(ErrorCode::kFormat, fmt::format("{}: bundle_format is not {}", kManifest, kFormat),
                "This bundle is of another version of brownout; verify it with that one.");
  // A key given twice would be one thing to us and another to the next reader.
  if (document(manifest_) != text) report(fmt::format("{} is not as brownout writes it", kManifest));
  return {};
}

Result<> ContentCheck::check_schemas() {
  for (const auto& schema : schemas()) {
    BROWNOUT_ASSIGN(const auto text, text_of(schema.path));
    if (text != schema.text) report(fmt::format("{} is not the schema of bundle format {}", schema.path, kFormat));
  }
  return {};
}

Result<plan::Plan> ContentCheck::recompile() {
  BROWNOUT_ASSIGN(const auto text, text_of(kPlan));
  BROWNOUT_ASSIGN(auto plan, recorded_plan(directory_));
  if (document(plan::to_json(plan)) != text) report(fmt::format("{} does not follow from {}", kPlan, kDrill));
  return plan;
}

// The drill's own are there, or it would not have compiled.
void ContentCheck::check_jitter_tables(const plan::Plan& plan) {
  for (std::size_t i = plan.drill.tables.size(); i < BROWNOUT_MAX_FAULTS; ++i)
    if (members_.contains(jitter_table_path(i)))
      report(fmt::format("{} is named by no fault of {}", jitter_table_path(i), kDrill));
}

void ContentCheck::expect_in_manifest(const char* key, const json& wanted, std::string_view source) {
  if (const auto found = manifest_.find(key); found == manifest_.end() || *found != wanted)
    report(fmt::format("{}: '{}' does not follow from {}", kManifest, key, source));
}

void ContentCheck::check_summary(const events::Evidence& evidence, const findings::Findings& findings) {
  const json summary = summarise(evidence, findings);
  for (const auto& [key, value] : summary.items()) expect_in_manifest(key.c_str(), value, "the records");
}

void ContentCheck::check_identity(const plan::Plan& plan, const events::Evidence& evidence) {
  expect_in_manifest("bundle", name_, "the name of the bundle's directory");
  expect_in_manifest("drill", plan.drill.name, kDrill);
  expect_in_manifest("drill_sha256", sha256(plan.drill.text), kDrill);
  expect_in_manifest("labels", json(plan.drill.labels), kDrill);
  if (const auto language = report_language_of(manifest_);
      manifest_.contains(kReportLanguageKey) &&
      (language == ReportLanguage::kEnglish || manifest_.at(kReportLanguageKey) != word(language)))
    report(fmt::format("{}: '{}' is not as brownout writes it", kManifest, kReportLanguageKey));
  for (const auto& entry : evidence.timeline) {
    if (entry.kind == "target") expect_in_manifest("target", entry.fields.at("target"), "the timeline");
    if (entry.kind != "app_manifest") continue;
    const auto& app_manifest = entry.fields.at("manifest");
    if (app_manifest.is_object() && app_manifest.contains("run_id"))
      expect_in_manifest("run_id", app_manifest.at("run_id"), "the app's manifest in the timeline");
  }
  const auto run_log = recorded_run_log(evidence);
  if (run_log.is_null() && manifest_.contains("run_log"))
    report(fmt::format("{}: 'run_log' is not in the timeline", kManifest));
  for (const auto& said : describe_numbering(run_log)) held_.push_back(visible(said));
}

// That a forger mended the chain or did not is no reason to look at nothing else.
void ContentCheck::check_chain(const events::Evidence& evidence) {
  const auto read = events::read_chain(directory_);
  if (!read) return report(read.error().render());
  const auto& chain = *read;
  expect_in_manifest("chain", describe(chain), kChain);
  const auto tool = manifest_.value(json::json_pointer{"/tool/binary_sha256"}, json());
  const events::Rules there{.drill_sha256 = members_.at(std::string{kDrill}).sha256,
                            .plan_sha256 = members_.at(std::string{kPlan}).sha256,
                            .tool_sha256 = tool.is_string() ? tool.get<std::string>() : std::string{}};
  for (const auto& problem : chain_problems(chain, there, evidence)) report(problem);
  if (chain.head.empty()) return;
  held_.push_back(fmt::format("rules: drill, plan and tool are those fixed before the drill (plan: {})",
                              chain.rules.plan_sha256));
  held_.push_back(fmt::format("chain: {} segments, {} (chain: {})", chain.segments,
                              chain.uncovered.empty() ? "which cover every byte of the records"
                                                      : "behind which the drill was cut off",
                              chain.head));
  for (const auto& [file, bytes] : chain.uncovered)
    held_.push_back(fmt::format("chain: {}: its last {} bytes are in no segment", file, bytes));
}

void ContentCheck::check_required(const plan::Plan& plan, const events::Evidence& evidence) {
  if (!plan.drill.app || !evidence.run_files) return;
  std::vector<std::string> missing;
  for (const auto& wanted : plan.drill.app->required)
    if (std::ranges::find(evidence.run_files->after, wanted, &events::RunFile::path) == evidence.run_files->after.end())
      missing.push_back(wanted);
  if (missing != evidence.run_files->missing_required)
    report(fmt::format("{}: 'missing_required' does not follow from its list and {}", kRunFiles, kDrill));
}

void ContentCheck::check_capture(const plan::Plan& plan, const events::Evidence& evidence) {
  if (evidence.packets && !plan.drill.capture) report(fmt::format("{} is asked for by no `capture` of {}", kPackets, kDrill));
  if (!evidence.packets && plan.drill.capture) report(fmt::format("missing: {}, which {} asks for", kPackets, kDrill));
  // Where there is none, nothing above says that the manifest may not speak of one.
  if (!evidence.packets && manifest_.contains("capture"))
    report(fmt::format("{}: 'capture' does not follow from the records", kManifest));
}

// The app may write on between our last look and the copy, so a copy is held against the digest taken while copying.
Result<> ContentCheck::check_run_directory() {
  Members copied;
  if (members_.contains(std::string{kRunDirectoryCopy})) {
    BROWNOUT_ASSIGN(const auto text, text_of(kRunDirectoryCopy));
    BROWNOUT_ASSIGN(const auto listed, events::parse_json(text, kRunDirectoryCopy));
    BROWNOUT_ASSIGN(copied, copied_files(listed));
  }
  for (const auto& [path, member] : members_) {
    if (!path.starts_with(kRunDirectory)) continue;
    const auto found = copied.find(path.substr(kRunDirectory.size()));
    if (found == copied.end() || found->second.sha256 != member.sha256 || found->second.size != member.size)
      report(fmt::format("{} is not the file that was copied", path));
    if (found != copied.end()) copied.erase(found);
  }
  for (const auto& [path, member] : copied) report(fmt::format("missing: {}{}", kRunDirectory, path));
  return {};
}

Result<> ContentCheck::check_redactions(const plan::Plan& plan) {
  BROWNOUT_ASSIGN(const auto text, text_of(kRedactions));
  BROWNOUT_ASSIGN(const auto follows, render_redactions(directory_, drill::redactor_of(plan.drill)));
  if (follows != text) report(fmt::format("{} does not follow from the marks in the other files", kRedactions));
  return {};
}

// What was done to the host and what became of it: the list of actions, the shards, and what the manifest says of both.
Result<> ContentCheck::check_host(const plan::Plan& plan, const events::Evidence& evidence) {
  BROWNOUT_ASSIGN(const auto actions, text_of(kActions));
  if (actions != render_actions(evidence)) report(fmt::format("{} does not follow from the timeline", kActions));
  BROWNOUT_ASSIGN(const auto shards, check_shards(plan, directory_));
  const auto recorded = members_.contains(std::string{kShards}) ? text_of(kShards) : Result<std::string>{""};
  if (!recorded) return std::unexpected(recorded.error());
  if (*recorded != (shards.at("indexes").empty() ? "" : document(shards)))
    report(fmt::format("{} does not follow from the copies in {}", kShards, kRunDirectory));
  BROWNOUT_ASSIGN(const auto summary, summarise_host(plan, evidence, directory_, shards));
  for (const auto& [key, value] : summary.items()) expect_in_manifest(key.c_str(), value, "the files");
  return {};
}

Result<> ContentCheck::check_verdict(const verdict::Verdict& recomputed) {
  BROWNOUT_ASSIGN(const auto text, text_of(kVerdict));
  const json follows = verdict::to_json(recomputed);
  if (document(follows) == text) return {};
  const auto claimed = events::parse_json(text, kVerdict);
  report(fmt::format("{} does not follow from the records: {}", kVerdict,
                     claimed ? difference(*claimed, follows) : claimed.error().what));
  return {};
}

Result<> ContentCheck::check_report(const plan::Plan& plan, const events::Evidence& evidence,
                                    const findings::Findings& findings, const verdict::Verdict& recomputed) {
  BROWNOUT_ASSIGN(const auto text, text_of(kReport));
  if (render_report(plan, evidence, findings, recomputed, manifest_) != text)
    report(fmt::format("{} does not follow from the other files", kReport));
  BROWNOUT_ASSIGN(const auto page, text_of(kReportHtml));
  if (render_html({plan, evidence, findings, recomputed, manifest_}) != page)
    report(fmt::format("{} does not follow from the other files", kReportHtml));
  return {};
}

Result<> ContentCheck::check_time_series(const plan::Plan& plan, const events::Evidence& evidence,
                                         const findings::Findings& findings) {
  BROWNOUT_ASSIGN(const auto text, text_of(kTimeSeries));
  if (render_time_series(plan, evidence, findings) != text)
    report(fmt::format("{} does not follow from the records", kTimeSeries));
  return {};
}

}  // namespace

std::vector<std::string> check_content(const std::filesystem::path& directory, const std::string& name,
                                       const Members& members, verdict::Verdict& recomputed,
                                       std::vector<std::string>& held) {
  ContentCheck check{directory, name, members};
  Result<> done;
  try {
    done = check.run(recomputed);
  } catch (const nlohmann::json::exception& error) { // somebody wrote what no brownout writes, where nobody expected it
    done = fail(ErrorCode::kFormat, fmt::format("a file is not as it should be: {}", error.what()));
  }
  held = check.held();
  auto problems = check.problems();
  if (!done) problems.push_back(done.error().render());
  return problems;
}

}  // namespace brownout::bundle
