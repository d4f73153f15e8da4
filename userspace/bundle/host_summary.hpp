// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include "brownout/findings.hpp"

namespace brownout::bundle {

// What the manifest says beside summarise(): `audit`, `app_stop`, `changes` (files that differ between before and after, and
// whose doing that was), `rules` (each respected, broken or not checked, with evidence_refs) and `shards`. All of it follows
// from the files of the bundle.
Result<nlohmann::json> summarise_host(const plan::Plan& plan, const events::Evidence& evidence,
                                      const std::filesystem::path& directory, const nlohmann::json& shards);

}  // namespace brownout::bundle
