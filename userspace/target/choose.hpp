// SPDX-License-Identifier: MIT
#pragma once

#include "answer.hpp"
#include "brownout/drill.hpp"
#include "brownout/target.hpp"

namespace brownout::target {

// The one running container that the name means, among all runtimes that were to be asked.
Result<Container> find_container(const drill::ContainerTarget& wanted, const Surroundings& surroundings);

}  // namespace brownout::target
