// SPDX-License-Identifier: MIT
// The verdict as an in-toto Statement v1 about SHA256SUMS.txt, in a DSSE envelope.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "pem_key.hpp"

namespace brownout::bundle {

// Of a directory with all files of a bundle.
Result<std::string> attest(const std::filesystem::path& directory, const PemKey& key);
// kFormat when attestation.dsse.json is not what that key's owner makes of this directory.
Result<> check_attestation(const std::filesystem::path& directory, const PemKey& key);

}  // namespace brownout::bundle
