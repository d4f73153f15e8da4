// SPDX-License-Identifier: MIT
#pragma once

#include "brownout/bundle.hpp"

namespace brownout::bundle {

// As rejudge(), of files that are there already.
Result<Judgement> rejudge_files(const std::filesystem::path& directory,
                                const std::optional<std::filesystem::path>& drill);

}  // namespace brownout::bundle
