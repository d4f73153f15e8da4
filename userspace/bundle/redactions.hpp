// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

#include "brownout/redact.hpp"

namespace brownout::bundle {

// redactions.json: what was taken out, by rule and file. Derived: of records and manifest their marks are counted, of
// the run directory's copies run_dir_copy.json says it.
Result<std::string> render_redactions(const std::filesystem::path& directory, const Redactor& redactor);

}  // namespace brownout::bundle
