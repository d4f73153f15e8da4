// SPDX-License-Identifier: MIT
// "address:port" strings of flows.
#pragma once

#include <cstdint>
#include <string_view>

#include "brownout/events.hpp"

namespace brownout::events {

// False, and nothing changed, when the text is not what endpoint() makes.
bool parse_endpoint(std::string_view text, __u8 (&address)[16], std::uint16_t& port);

}  // namespace brownout::events
