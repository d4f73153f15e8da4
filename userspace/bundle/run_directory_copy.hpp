// SPDX-License-Identifier: MIT
// run_dir_copy.json: what was copied of the app's run directory, and what was not and why.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/error.hpp"
#include "listing.hpp"

namespace brownout::bundle {

struct LeftOut { std::string path, why; std::uint64_t size = 0; };
struct RunDirectoryCopy {
  Members files; // by path beneath run_dir/
  std::vector<LeftOut> left_out;
};
nlohmann::json to_json(const RunDirectoryCopy& copy);
// Only what `verify` needs: the files.
Result<Members> copied_files(const nlohmann::json& json);

}  // namespace brownout::bundle
