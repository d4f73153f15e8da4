// SPDX-License-Identifier: MIT
// What the drill's process may do, and until when. The kernel holds capabilities by thread: those of the delay line, of
// the disk and of the fingerprint give up theirs when they begin.
#pragma once

#include <filesystem>
#include <vector>

#include "brownout/privileges.hpp"

namespace brownout::run {

// kPermission, with the names of what is missing. From here on nothing that is executed gets more than we have.
Result<> begin_set_up();
// After everything is attached and before a fault is armed. What is left; an error while any thread has more than that.
// `directories`: where files are still to be made; CAP_DAC_OVERRIDE goes unless one of them is closed to our user.
Result<CapabilitySet> end_set_up(const kernel::Means& means, const std::vector<std::filesystem::path>& directories);
// Nothing of ours is in the kernel any more: only files are read, judged and written.
Result<> begin_sealing();

}  // namespace brownout::run
