// SPDX-License-Identifier: MIT
// Stage 5. Records without what must not get into a bundle: it is taken out before they reach the disk.
#pragma once

#include <memory>

#include "brownout/events.hpp"
#include "brownout/redact.hpp"

namespace brownout::events {

// Names, snapshots and entries of the timeline; the others have no text of others in them but `comm`.
std::unique_ptr<Recorder> redacting(std::unique_ptr<Recorder> recorder, Redactor redactor);
// As repair() of events.hpp; what it writes is redacted as it would have been while the drill ran.
Result<> repair(const std::filesystem::path& directory, const nlohmann::json& by, const Redactor& redactor);

}  // namespace brownout::events
