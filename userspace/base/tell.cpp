// SPDX-License-Identifier: MIT
#include "brownout/tell.hpp"

#include <cstdio>
#include <cstdlib>

namespace brownout {

void tell(std::string_view text) noexcept { static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr)); }

bool colour_refused() {
  const char* refused = std::getenv("NO_COLOR");
  return refused != nullptr && *refused != '\0';
}

}  // namespace brownout
