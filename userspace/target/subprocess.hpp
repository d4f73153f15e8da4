// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "brownout/error.hpp"

namespace brownout::target {

struct Finished {
  int exit_code = 0; // 128 + signal where one ended it
  std::string out, err;
};

// Runs a program without a shell, with nothing of ours open but the pipes to it. It is killed at the deadline.
Result<Finished> run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                             std::chrono::milliseconds deadline);

}  // namespace brownout::target
