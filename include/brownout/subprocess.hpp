// SPDX-License-Identifier: MIT
// Programs of the host that do what is theirs to do.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "brownout/error.hpp"

namespace brownout {

struct Finished {
  int exit_code = 0; // 128 + signal where one ended it
  std::string out, err;
};

// In the absolute folders of `search_path`, or of PATH and the usual ones.
std::optional<std::filesystem::path> find_program(const std::string& name, const std::string& search_path = {});

// Runs a program without a shell, with nothing of ours open but the pipes to it, and `input` as its stdin. It is killed at
// the deadline.
Result<Finished> run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                             std::chrono::milliseconds deadline,
                             const std::filesystem::path& input = "/dev/null");

// What matters is said last: the end of what a program wrote to stderr, as it can be shown.
std::string last_line(std::string text);

}  // namespace brownout
