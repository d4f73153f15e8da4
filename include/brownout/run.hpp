// SPDX-License-Identifier: MIT
// The drill as a whole: resolve, trace, wait for pressure, inject, drain, recover, settle, judge, seal.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/bundle.hpp"

namespace brownout::run {

struct Options {
  std::filesystem::path drill;
  std::filesystem::path out_directory = ".";
  bool json = false;
  bool yes = false;
  std::vector<std::string> command_line;
};

struct Outcome {
  ExitCode exit_code = ExitCode::kError;
  verdict::Verdict verdict;
  bundle::Sealed sealed;
  bool has_bundle = false;
};

// Errors before anything was attached come back as Error; later ones end in a sealed bundle with verdict ERROR.
Result<Outcome> run(const Options& options);

}  // namespace brownout::run
