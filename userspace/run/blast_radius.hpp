// SPDX-License-Identifier: MIT
// Whom the faults would hit beside those they are meant for: asked before anything is attached.
#pragma once

#include <filesystem>

#include "aim.hpp"

namespace brownout::run {

// kRefused, with connection, fault and drill line, when the operator's own SSH connection or a container runtime's
// would be hit and the drill does not allow it.
Result<> refuse_bystanders(const std::filesystem::path& file, const plan::Plan& plan, const Aim& aim);

}  // namespace brownout::run
