// SPDX-License-Identifier: MIT
// Which run of its target a bundle says it is; forged JSON included.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/events.hpp"

namespace brownout::bundle {

struct NumberedRun {
  std::string path, log, target, line_sha256;
  std::uint64_t number = 0, of_host = 0, owner_uid = 0;
  bool append_only = false;
  std::vector<std::string> problems; // of the log as it was found
  struct Before {
    std::uint64_t number = 0;
    std::string line_sha256, started_utc;
    bool ended = false;
    std::string verdict, archive, archive_sha256, unsealed; // empty: not so
  };
  std::optional<Before> before;
};

// `run_log` of the manifest, as the timeline has it; null where it was not recorded.
nlohmann::json recorded_run_log(const events::Evidence& evidence);
// Nothing where there is no number.
std::optional<NumberedRun> numbered_run(const nlohmann::json& run_log);
std::string why_not_numbered(const nlohmann::json& run_log);
// "run 4, begun UTC, FAIL, IEB_...tar.gz"
std::string describe(const NumberedRun::Before& before);
// What `verify` says of one bundle.
std::vector<std::string> describe_numbering(const nlohmann::json& run_log);

}  // namespace brownout::bundle
