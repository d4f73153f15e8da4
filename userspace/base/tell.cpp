// SPDX-License-Identifier: MIT
#include "brownout/tell.hpp"

#include <cstdio>

namespace brownout {

void tell(std::string_view text) noexcept { static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr)); }

}  // namespace brownout
