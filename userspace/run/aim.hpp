// SPDX-License-Identifier: MIT
// Whom a drill is aimed at and where its packets are caught: found out by the same steps by whoever runs it and by whoever
// only looks.
#pragma once

#include "brownout/kernel.hpp"

namespace brownout::run {

struct Aim {
  target::Target target;
  kernel::Interface interface;
};
// kNotFound, kAmbiguous and kUnsupported as of target::resolve(), or where there is not one veth to catch packets on;
// kInvalidDrill when abort_when names a counter that this kernel does not have.
Result<Aim> take_aim(const plan::Plan& plan);

}  // namespace brownout::run
