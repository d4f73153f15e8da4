// SPDX-License-Identifier: MIT
// The jitter tables of one plan.
#pragma once

#include <string_view>

#include "brownout/plan.hpp"

namespace brownout::plan {

std::string_view distribution_name(drill::Distribution distribution);
// What goes into brownout_fault::distribution; a table that the plan lacks is added to it.
std::uint32_t table_number(const drill::Drill& drill, const drill::Latency& latency, Plan& plan);

}  // namespace brownout::plan
