// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "brownout/error.hpp"

namespace brownout::events {

// Everything from the descriptor's position on; kFormat when it is longer than `limit`.
Result<std::string> read_all(int fd, std::size_t limit);
struct Digest { std::string sha256; std::uint64_t size = 0; };
// Of no more than the first `limit` bytes: who writes on cannot keep us reading.
Result<Digest> digest_up_to(int fd, std::uint64_t limit);

}  // namespace brownout::events
