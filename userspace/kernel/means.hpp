// SPDX-License-Identifier: MIT
// By what means faults can hang on a device and packets can wait here. Each tried on something of our own.
#pragma once

#include <string>

#include "brownout/kernel.hpp"

namespace brownout::kernel {

// On lo of a network namespace made for the attempt: no packet of anybody meets it. What was done, in words.
Result<std::string> try_hook(HookKind kind);
Result<std::string> try_delay_line();
Result<std::string> try_edt(HookKind hook);

}  // namespace brownout::kernel
