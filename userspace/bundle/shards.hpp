// SPDX-License-Identifier: MIT
// shards.json: raw evidence that the application keeps in parts, each held against the index that names it.
#pragma once

#include <filesystem>
#include <string_view>

#include <nlohmann/json.hpp>

#include "brownout/plan.hpp"

namespace brownout::bundle {

inline constexpr std::string_view kIndexSuffix = "_raw_index.json";

// Of the copies in run_dir/ of an opened bundle, or of evidence before it is sealed: every *_raw_index.json, its shards and
// what is wrong with them. An index list that is empty: the run has none.
Result<nlohmann::json> check_shards(const plan::Plan& plan, const std::filesystem::path& directory);
// What the manifest and the report say of it: how many there are, and the first mismatches.
nlohmann::json summarise_shards(const nlohmann::json& shards);

}  // namespace brownout::bundle
