// SPDX-License-Identifier: MIT
// chain.jsonl: what was fixed before the first fault, and then, about once a second, what the files of records had grown
// by. Each line has the digest of the one before, so that the last one stands for all of it. docs/bundle-format.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "brownout/error.hpp"

namespace brownout::events {

// Digests of what a drill goes by.
struct Rules {
  std::string drill_sha256, plan_sha256;
  std::string tool_sha256; // of the executable; empty where it cannot be read
};

struct Chain {
  Rules rules;
  std::uint64_t segments = 0;
  std::string head;                               // digest of the last line; empty: there is none
  std::map<std::string, std::uint64_t> uncovered; // bytes behind what it covers, by file
};

// Holds every segment against its file. kFormat at the first line that is not so.
Result<Chain> read_chain(const std::filesystem::path& directory);

}  // namespace brownout::events
