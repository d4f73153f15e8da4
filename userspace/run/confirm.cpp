// SPDX-License-Identifier: MIT
#include "confirm.hpp"

#include <iostream>
#include <string>

#include <unistd.h>

#include "brownout/tell.hpp"
#include "preview.hpp"

namespace brownout::run {

Result<> confirm(const Options& options, const plan::Plan& plan, const Aim& aim, const kernel::Means& means) {
  const bool can_ask = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
  if (!options.yes && !can_ask)
    return fail(ErrorCode::kUsage, "there is no terminal to confirm on, and --yes was not given",
                "Add --yes when you are sure of target and faults.");
  tell(describe({plan, aim, means, reach_of(plan, aim)}));
  if (options.yes) return {};
  tell("Go on? [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "yes") return {};
  return fail(ErrorCode::kRefused, "not confirmed; nothing was attached");
}

}  // namespace brownout::run
