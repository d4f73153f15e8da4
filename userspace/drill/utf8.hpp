// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace brownout::drill {

// Offset of the first byte that is not part of well-formed UTF-8, or is a control character other than tab and
// line end. Everything later (JSON above all) relies on strings that passed here.
std::optional<std::size_t> first_bad_byte(std::string_view text);

}  // namespace brownout::drill
