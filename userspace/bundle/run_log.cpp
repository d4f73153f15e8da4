// SPDX-License-Identifier: MIT
#include "run_log.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "brownout/json_fields.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;

std::optional<NumberedRun::Before> read_before(const json& before) {
  if (!before.is_object()) return std::nullopt;
  const auto ended = before.value("ended", json());
  return NumberedRun::Before{count_at(before, "/number"),     text_at(before, "/line_sha256"),
                             text_at(before, "/started_utc"),  ended.is_object(),
                             text_at(ended, "/verdict"),       text_at(ended, "/archive"),
                             text_at(ended, "/archive_sha256"), text_at(ended, "/unsealed")};
}

}  // namespace

json recorded_run_log(const events::Evidence& evidence) {
  const auto entry = std::ranges::find(evidence.timeline, "run_log", &events::TimelineEntry::kind);
  return entry == evidence.timeline.end() ? json() : entry->fields;
}

std::optional<NumberedRun> numbered_run(const json& run_log) {
  const auto run = object_at(run_log, "/run");
  if (count_at(run, "/number") == 0 || text_at(run, "/log").empty()) return std::nullopt;
  NumberedRun numbered{.path = text_at(run_log, "/path"),
                       .log = text_at(run, "/log"),
                       .target = text_at(run, "/target"),
                       .line_sha256 = text_at(run, "/line_sha256"),
                       .number = count_at(run, "/number"),
                       .of_host = count_at(run, "/of_host"),
                       .owner_uid = count_at(run, "/owner_uid"),
                       .append_only = flag_at(run, "/append_only"),
                       .problems = {},
                       .before = read_before(run.value("previous", json()))};
  if (const auto problems = run.value("problems", json()); problems.is_array())
    for (const auto& problem : problems)
      numbered.problems.push_back(problem.is_string() ? problem.get<std::string>() : problem.dump());
  return numbered;
}

std::string why_not_numbered(const json& run_log) {
  if (run_log.empty()) return "none is recorded";
  const auto why = text_at(run_log, "/unavailable");
  return why.empty() ? "no reason is recorded" : why;
}

std::string describe(const NumberedRun::Before& before) {
  auto text = fmt::format("run {}, begun {}", before.number, before.started_utc);
  if (!before.ended) return text + ", with no end by then: it was killed, or still ran";
  if (!before.verdict.empty()) text += ", " + before.verdict;
  if (!before.archive.empty()) text += fmt::format(", {} (sha256 {})", before.archive, before.archive_sha256);
  return before.unsealed.empty() ? text : fmt::format("{}, not sealed: {}", text, before.unsealed);
}

std::vector<std::string> describe_numbering(const json& run_log) {
  if (run_log.is_null()) return {};
  const auto run = numbered_run(run_log);
  if (!run)
    return {fmt::format("run log: NONE ({}): that no other run was left out is not shown", why_not_numbered(run_log))};
  std::vector<std::string> said{fmt::format("run log: run {} of {}, run {} of its host, kept in {} by uid {}{}", run->number,
                                            run->target, run->of_host, run->path, run->owner_uid,
                                            run->append_only ? ", append-only" : "")};
  said.push_back(run->before ? "run log: before it " + describe(*run->before) : "run log: none of this target before it");
  for (const auto& problem : run->problems) said.push_back("run log: it had been damaged: " + problem);
  return said;
}

}  // namespace brownout::bundle
