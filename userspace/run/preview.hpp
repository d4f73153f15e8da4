// SPDX-License-Identifier: MIT
// What a drill would do, in words: all of it for `plan`, the part about who is hit for whoever confirms a drill.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "brownout/rehearsal.hpp"
#include "packet_question.hpp"
#include "reach.hpp"

namespace brownout::run {

struct Intent { // what has been found out
  const plan::Plan& plan;
  const Aim& aim;
  const kernel::Means& means;
  const Reach& reach;
};
std::string describe(const Intent& intent);
nlohmann::json to_json(const Intent& intent);

std::string describe(const kernel::Rehearsal& rehearsal, const Intent& intent);
nlohmann::json to_json(const kernel::Rehearsal& rehearsal, const Intent& intent);

// Share of one CPU that the injector's programs take, as they were measured, when every packet that passes is hit.
double share_of_cpu(const kernel::PacketCost& cost, double packets_per_second);

}  // namespace brownout::run
