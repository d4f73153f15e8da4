// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "brownout/bundle.hpp"
#include "listing.hpp"

namespace brownout::bundle {

// Members against the two lists, and against what the format has room for.
std::vector<std::string> check_listing(const std::filesystem::path& directory, const Members& members);

// What the files say against each other: everything that is derived is derived again from the drill and the records,
// and must be there byte by byte. Fills in `recomputed`, and what held.
std::vector<std::string> check_content(const std::filesystem::path& directory, const std::string& name,
                                       const Members& members, verdict::Verdict& recomputed,
                                       std::vector<std::string>& held);

}  // namespace brownout::bundle
