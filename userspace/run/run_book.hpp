// SPDX-License-Identifier: MIT
// What the lines of a run log say, taken together; of bytes alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace brownout::run {

struct LoggedRun {
  std::string line_sha256;
  std::string target, container_id;
  std::uint64_t number = 0;
  nlohmann::json started; // the line
  nlohmann::json ended;   // the last line of its end; null: none
};

struct RunBook {
  std::uint64_t lines = 0;
  std::string log, head;            // digests of the first line and of the last; empty: there is none
  std::vector<LoggedRun> runs;      // in their order
  std::vector<std::string> problems; // the first ones
  bool torn = false;                // the last line has no line feed

  // The last run of the target; null: none.
  const LoggedRun* last_of(const std::string& target) const;
  const LoggedRun* begun_by(const std::string& line_sha256) const;
  // A container is counted under the name under which it was met first, whatever the drill calls it now.
  std::string known_as(const std::string& target, const std::string& container_id) const;
};

RunBook read_run_book(std::string_view text);

}  // namespace brownout::run
