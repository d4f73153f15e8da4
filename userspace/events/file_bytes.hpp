// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "brownout/error.hpp"

namespace brownout::events {

// Everything from the descriptor's position on; kFormat when it is longer than `limit`.
Result<std::string> read_all(int fd, std::size_t limit);
struct Digest { std::string sha256; std::uint64_t size = 0; };
Result<Digest> digest_all(int fd);

}  // namespace brownout::events
