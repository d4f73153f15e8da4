// SPDX-License-Identifier: MIT
// The STOP file that a drill leaves, and the app's answer to it.
#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include "brownout/error.hpp"

namespace brownout::run {

// Exclusively and through no link: the directory may be one in which a container writes, and we are root.
Result<> create_stop_file(const std::filesystem::path& path);

// Whether the app's manifest says that it has seen the file. An app may write anything there.
bool says_stopped(const nlohmann::json& manifest);

}  // namespace brownout::run
