// SPDX-License-Identifier: MIT
// Stage 8. Copies of the app's files without what must not get into a bundle.
#pragma once

#include <filesystem>

#include "brownout/bundle.hpp"
#include "brownout/redact.hpp"

namespace brownout::bundle {

// As copy_run_directory() of bundle.hpp, which goes by the built-in rules. What cannot be read as text is left out.
Result<> copy_run_directory(const events::RunDirectory& directory, const std::filesystem::path& staging,
                            const Redactor& redactor);
// By the rules of the drill that was staged.
Result<Redactor> staged_redactor(const std::filesystem::path& staging);

}  // namespace brownout::bundle
