// SPDX-License-Identifier: MIT
// The two ways in which people end a drill early: the STOP file, and SIGINT or SIGTERM.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "brownout/error.hpp"
#include "brownout/fd.hpp"

namespace brownout::run {

struct StopRequest {
  enum class Source { kStopFile, kSignal } source = Source::kSignal;
  std::string detail;
};

class StopWatch {
 public:
  // Blocks SIGINT, SIGTERM and SIGHUP in the calling thread (threads made later inherit it) and takes them from a
  // descriptor instead: a signal is then just another thing that the drill's loop sees, and nothing is left half done.
  static Result<StopWatch> create(std::filesystem::path stop_file);
  // The first request sticks.
  const std::optional<StopRequest>& check();

 private:
  UniqueFd signals_;
  std::filesystem::path stop_file_;
  std::optional<StopRequest> request_;
};

}  // namespace brownout::run
