// SPDX-License-Identifier: MIT
// Opening by path relative to a held directory, without leaving it.
#pragma once

#include <string>

#include "brownout/error.hpp"
#include "brownout/fd.hpp"

namespace brownout::events {

// Links are refused wherever they are on the way. kNotFound, kRefused (a link, a path that climbs) or kIo.
Result<UniqueFd> open_within(int directory_fd, const std::string& path, int flags);
// Links are followed as a process whose root the directory is would follow them.
Result<UniqueFd> open_in_root(int root_fd, const std::string& path, int flags);
// One name, O_NOATIME where allowed: a read leaves no trace in the app's files.
Result<UniqueFd> open_for_reading(int directory_fd, const std::string& path);

}  // namespace brownout::events
