// SPDX-License-Identifier: MIT
// `inject`: a drill from flags, by the same engine, to the same bundle.
#pragma once

#include <CLI/CLI.hpp>

#include "commands.hpp"

namespace brownout::cli {

struct InjectOptions {
  drill::AdHoc drill;
  bool print = false; // the drill, and nothing else
  bool plan = false;  // what it would do, as of `plan`
};
void add_ad_hoc(CLI::App* command, InjectOptions& options);
ExitCode inject(const InjectOptions& injecting, run::Options options);

}  // namespace brownout::cli
