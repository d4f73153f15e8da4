// SPDX-License-Identifier: MIT
// The two lists of a bundle's files: for sha256sum, and for people.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "brownout/error.hpp"

namespace brownout::bundle {

struct Member { std::uint64_t size = 0; std::string sha256; };
using Members = std::map<std::string, Member>; // by path, which is sorted bytewise

// All but SHA256SUMS.txt itself and what is signed of it.
std::string render_checksums(const Members& members);
// All but the two lists and those: their own sizes would have to be in them.
std::string render_file_list(const Members& members);

// Path -> digest; kFormat for a line that sha256sum --strict would refuse, or a path given twice.
Result<std::map<std::string, std::string>> parse_checksums(std::string_view text);

}  // namespace brownout::bundle
