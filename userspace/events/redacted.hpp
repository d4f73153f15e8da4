// SPDX-License-Identifier: MIT
// Records as they may be written down: what the drill's rules take out is taken out before it reaches the disk.
#pragma once

#include "brownout/events.hpp"

namespace brownout::events {

NameRecord redacted(const Redactor& redactor, NameRecord name);
TimelineEntry redacted(const Redactor& redactor, TimelineEntry entry);

}  // namespace brownout::events
