// SPDX-License-Identifier: MIT
// Git checkouts that a container has on its mounts, read as files: no git is run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "brownout/error.hpp"

namespace brownout::events {

struct Checkout {
  std::string path;   // in the container, of the mount
  std::string ref;    // "refs/heads/main"; empty: a commit is checked out by itself
  std::string commit; // empty: not found, and `problem` says why
  std::string problem;
};
// Of the first 64 mounts that have a .git. Nothing is opened through a link, or larger than 4 MiB.
std::vector<Checkout> checkouts_of(std::int32_t pid);
// Of a directory that is held.
Checkout read_checkout(int directory_fd);

}  // namespace brownout::events
