// SPDX-License-Identifier: MIT
// The host's run log: every drill is written down before its first fault and numbered by its target, so that one that did
// not come out as wished is missed where the others are shown. docs/bundle-format.md has its lines.
//
// JSON lines, only ever added to; each has the digest of the line before, so that none can be changed, taken out or put in
// without all that follow. It has no more power over the host's owner than that: what left the host in bundles shows what he
// did to it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "brownout/fd.hpp"
#include "brownout/run.hpp"

namespace brownout::run {

inline constexpr char kRunLogFile[] = "runs.jsonl";

struct RunBegun {
  std::string target;       // as target_of_log() has it
  std::string container_id; // empty where there is none
  std::string drill, drill_sha256, plan_sha256;
};
struct RunEnded {
  std::string run_id, verdict;         // empty: it was not judged
  std::string archive, archive_sha256; // empty: nothing was sealed
  std::string unsealed;                // why
};

// "docker exchange-bot": as the drill names it, whatever process and cgroup are behind that today.
std::string target_of_log(const target::Target& target);

class RunLog {
 public:
  // Made where it is not there, by its owner alone, and append-only where file system and capabilities allow that.
  static Result<RunLog> open(const std::filesystem::path& directory);
  // kNotFound where there is none.
  static Result<RunLog> open_existing(const std::filesystem::path& directory);

  // Adds a line, which is on the disk when this returns. What a bundle says of its run: its number, that line, and the run
  // before.
  Result<nlohmann::json> begin(const RunBegun& run) const;
  // Of a run that began with the line of this digest; kNotFound when there is none such in this log.
  Result<> end(const std::string& line_sha256, const RunEnded& how) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  RunLog(std::filesystem::path path, UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}
  static Result<RunLog> open(const std::filesystem::path& directory, bool make);
  Result<> append(nlohmann::ordered_json line, const std::string& previous) const;

  std::filesystem::path path_;
  UniqueFd file_;
};

// Of a run that began with that line, by the bundle that was sealed of it.
Result<> log_sealed(const RunLog& log, const std::string& line_sha256, const Outcome& outcome);

// The entry of the timeline: `run` of begin(), or why there is none.
nlohmann::json describe_run_log(const std::filesystem::path& path, const Result<nlohmann::json>& run);

}  // namespace brownout::run
