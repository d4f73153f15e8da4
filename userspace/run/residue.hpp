// SPDX-License-Identifier: MIT
// Whether objects of a drill are still in the kernel: to look one up by its id takes CAP_SYS_ADMIN, which the guardian
// has and the drill has not any more. One question is one packet of numbers, and so is its answer.
#pragma once

#include "brownout/kernel.hpp"

namespace brownout::run {

Result<kernel::ObjectIds> ask_still_there(int guardian, const kernel::ObjectIds& objects);
// False when nobody can ask any more.
bool answer_still_there(int drill);

}  // namespace brownout::run
