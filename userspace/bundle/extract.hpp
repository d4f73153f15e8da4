// SPDX-License-Identifier: MIT
// An archive that somebody sent -> files in a private directory, or what is wrong with it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "brownout/error.hpp"
#include "listing.hpp"

namespace brownout::bundle {

struct Extraction {
  std::string top;      // the one directory that everything lies in
  Members members;      // paths beneath it, hashed as they came out of the archive
  std::vector<std::string> problems; // then nothing that was written may be used
};
// Writes regular files beneath `into`/top and nothing else. An Error when the archive cannot be opened or the files
// cannot be written; a damaged or hostile archive is a problem.
Result<Extraction> extract(const std::filesystem::path& archive, const std::filesystem::path& into);

}  // namespace brownout::bundle
