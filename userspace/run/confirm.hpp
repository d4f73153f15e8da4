// SPDX-License-Identifier: MIT
// Who will be hit, shown before anything is touched.
#pragma once

#include "aim.hpp"
#include "brownout/run.hpp"

namespace brownout::run {

// kUsage when nobody can be asked and --yes was not given; kRefused when the answer is no.
Result<> confirm(const Options& options, const plan::Plan& plan, const Aim& aim, const kernel::Means& means);

}  // namespace brownout::run
