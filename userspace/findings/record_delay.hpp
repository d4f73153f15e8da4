// SPDX-License-Identifier: MIT
// How late the app stamps its records: the difference that stands out of all that are possible.
#pragma once

#include <optional>
#include <vector>

#include "brownout/findings.hpp"

namespace brownout::findings {

// `differences`: stamp minus failure, of every error and failure that can belong together within kMatchReachNs. Of
// strangers they are spread evenly; of pairs with a constant delay they heap. None where no heap stands out.
std::optional<RecordDelay> find_record_delay(std::vector<std::int64_t> differences);

}  // namespace brownout::findings
