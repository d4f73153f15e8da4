// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>

#include "brownout/abi/brownout.h"

namespace brownout::events {

// The one spelling of an event, line feed included: what the recorder writes, and what a line that is read must be.
void append_line(fmt::memory_buffer& into, const brownout_event& event);

}  // namespace brownout::events
