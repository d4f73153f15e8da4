// SPDX-License-Identifier: MIT
// A number of the fingerprint at a moment, as tightly as the versions seen around it allow.
#pragma once

#include <optional>
#include <string>

#include "brownout/findings.hpp"

namespace brownout::findings {

// `pointer` below: as of number_at().
struct Bounds { std::optional<double> low, high; };
// Of a counter that only grows. `low` is missing before the first version that was read, `high` after the last only
// when none was.
Bounds value_at(const events::Evidence& evidence, const std::string& pointer, std::int64_t t_ns);
// The last version read at or before that time.
std::optional<double> last_value(const events::Evidence& evidence, const std::string& pointer, std::int64_t t_ns);

// A counter went down between these versions: is it that the app was started again? Then it is at half or less of what it
// was, or another total went down with it.
bool begins_anew(const events::Snapshot& before, const events::Snapshot& now, const std::string& pointer);

Growth window_growth(const events::Evidence& evidence, const std::string& pointer);

}  // namespace brownout::findings
