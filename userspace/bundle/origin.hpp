// SPDX-License-Identifier: MIT
// Who vouches for a bundle, and what that is worth.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "brownout/bundle.hpp"
#include "listing.hpp"

namespace brownout::bundle {

struct Origin {
  std::vector<std::string> problems, held;
  std::vector<std::string> says; // "NOT PROVEN (unsigned)"
};
// kNotFound where ALLOWED is not there; everything else is a problem of the bundle's.
Result<Origin> check_origin(const std::filesystem::path& directory, const Members& members,
                            const nlohmann::json& manifest, const VerifyOptions& options);

}  // namespace brownout::bundle
