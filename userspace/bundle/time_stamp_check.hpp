// SPDX-License-Identifier: MIT
// Time stamps of a bundle: the one in it, and one of the whole archive that was got elsewhere.
#pragma once

#include <filesystem>
#include <string>

#include "origin.hpp"

namespace brownout::bundle {

// kNotFound where a file that was named is not there.
Result<Origin> check_time_stamps(const std::filesystem::path& directory, const Members& members,
                                 const nlohmann::json& manifest, const std::string& archive_sha256,
                                 const VerifyOptions& options);

}  // namespace brownout::bundle
