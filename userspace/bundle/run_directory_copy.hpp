// SPDX-License-Identifier: MIT
// run_dir_copy.json: what was copied of the app's run directory, and what was not and why.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/error.hpp"
#include "brownout/redact.hpp"
#include "listing.hpp"

namespace brownout::bundle {

// What was taken out of a copy. `original_sha256`: of what was read.
struct CopyRedaction { std::string original_sha256; RedactionCounts counts; };
// What a reason not to copy begins with where it is that nothing can be taken out of the file.
inline constexpr std::string_view kNotRedacted = "not to be redacted: ";
struct LeftOut { std::string path, why; std::uint64_t size = 0; };
struct RunDirectoryCopy {
  Members files; // by path beneath run_dir/
  std::map<std::string, CopyRedaction> redactions; // by path, where something was taken out
  std::vector<LeftOut> left_out;
};
nlohmann::json to_json(const RunDirectoryCopy& copy);
// Only what `verify` needs: the files.
Result<Members> copied_files(const nlohmann::json& json);

}  // namespace brownout::bundle
