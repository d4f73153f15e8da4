// SPDX-License-Identifier: MIT
#pragma once

#include "brownout/bundle.hpp"

namespace brownout::bundle {

// As rejudge(), of files that are there already.
Result<Judgement> rejudge_files(const std::filesystem::path& directory,
                                const std::optional<std::filesystem::path>& drill);

// Evidence that was never sealed may have none: an empty object then. kFormat when it is no object.
Result<nlohmann::json> recorded_manifest(const std::filesystem::path& directory);

}  // namespace brownout::bundle
