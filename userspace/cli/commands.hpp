// SPDX-License-Identifier: MIT
// The commands: data to stdout, everything else to stderr, an exit code of exit_code.hpp.
#pragma once

#include <filesystem>

#include "brownout/run.hpp"

namespace brownout::cli {

ExitCode run(const run::Options& options);
ExitCode check(const std::filesystem::path& drill);
ExitCode doctor(bool json);
ExitCode clean();
ExitCode verify(const std::filesystem::path& archive);

// Prints the error; the exit code that goes with it.
ExitCode report(const Error& error);

}  // namespace brownout::cli
