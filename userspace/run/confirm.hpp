// SPDX-License-Identifier: MIT
// Who will be hit, shown before anything is touched.
#pragma once

#include "brownout/run.hpp"

namespace brownout::run {

// kUsage when nobody can be asked and --yes was not given; kRefused when the answer is no.
Result<> confirm(const Options& options, const plan::Plan& plan, const target::Target& target,
                 const kernel::Interface& interface, const kernel::Means& means);

}  // namespace brownout::run
