// SPDX-License-Identifier: MIT
// Opening by path relative to a held directory, without leaving it.
#pragma once

#include <string>

#include <sys/types.h>

#include "brownout/error.hpp"
#include "brownout/fd.hpp"

namespace brownout::events {

// Links and mounts are refused wherever they are on the way: a container that may mount could lay the host's own files
// (/proc/kmsg) over its own. kNotFound, kRefused (a link, a mount, a path that climbs) or kIo.
Result<UniqueFd> open_within(int directory_fd, const std::string& path, int flags);
// Links are followed as a process whose root the directory is would follow them.
Result<UniqueFd> open_in_root(int root_fd, const std::string& path, int flags);
// "FIFO"
std::string kind_of(mode_t mode);

}  // namespace brownout::events
