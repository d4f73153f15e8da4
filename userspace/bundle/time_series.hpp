// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "brownout/findings.hpp"

namespace brownout::bundle {

// time_series.jsonl: what happened from one counter sample to the next, about a second, on one axis. Every failure and
// every error of the app is in exactly one line, so that the lines add up to the findings.
std::string render_time_series(const plan::Plan& plan, const events::Evidence& evidence,
                               const findings::Findings& findings);

}  // namespace brownout::bundle
