// SPDX-License-Identifier: MIT
// The commands: data to stdout, everything else to stderr, an exit code of exit_code.hpp.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "brownout/run.hpp"

namespace brownout::cli {

ExitCode run(const run::Options& options);
ExitCode check(const std::filesystem::path& drill);
ExitCode doctor(bool json);
ExitCode clean();
ExitCode verify(const std::filesystem::path& archive);

struct JudgeOptions {
  std::filesystem::path evidence;
  std::filesystem::path drill;  // empty: the recorded one
  bool json = false;
};
ExitCode judge(const JudgeOptions& options);
ExitCode explain(const std::filesystem::path& evidence, const std::vector<std::string>& checks);

// Prints the error; the exit code that goes with it.
ExitCode report(const Error& error);

}  // namespace brownout::cli
