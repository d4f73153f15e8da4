// SPDX-License-Identifier: MIT
// Exit codes of every command; README names them too.
#pragma once

namespace brownout {

enum class ExitCode : int {
  kPass = 0,          // run: PASS; verify: the bundle holds; doctor: everything needed is there
  kFail = 1,          // run: FAIL; verify: the bundle is refused
  kUsage = 2,         // wrong arguments or invalid drill: nothing was attached
  kNotMeasurable = 3, // run: nothing was proven either way
  kError = 4,         // could not run, or could not clean up
  kInterrupted = 130, // a signal ended the run: the fault is undone, the bundle sealed
};

}  // namespace brownout
