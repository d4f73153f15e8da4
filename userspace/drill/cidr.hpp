// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "cursor.hpp"

namespace brownout::drill {

// An IPv4 or IPv6 network in canonical form ("10.0.0.0/8", "2001:db8::/32"). Host bits, a missing prefix length and
// IPv4 in IPv6 clothes are refused with what to write instead.
Result<std::string> read_cidr(const Cursor& cursor);

}  // namespace brownout::drill
