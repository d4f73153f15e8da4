// SPDX-License-Identifier: MIT
// Signatures as ssh-keygen makes and checks them: it knows agents and security keys, and is everywhere.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "brownout/subprocess.hpp"

namespace brownout::bundle {

inline constexpr const char* kSignatureNamespace = "brownout-evidence@v1";

struct SshKey {
  std::string type, fingerprint; // "ED25519", "SHA256:..."
};

class SshKeygen {
 public:
  // kNotFound where the host has none.
  static Result<SshKeygen> find();

  enum class Agent { kNotAsked, kAsked };
  // The signature of the file. kRefused with what ssh-keygen said and what helps.
  Result<std::string> sign(const std::filesystem::path& key, const std::filesystem::path& message, Agent agent) const;
  // By which key; kRefused when it does not hold.
  Result<SshKey> check(const std::filesystem::path& message, const std::filesystem::path& signature) const;
  // By whom, of those whom ALLOWED names for this; kRefused when by nobody.
  Result<std::string> principal(const std::filesystem::path& message, const std::filesystem::path& signature,
                                const std::filesystem::path& allowed) const;

 private:
  SshKeygen(std::filesystem::path env, std::filesystem::path program)
      : env_(std::move(env)), program_(std::move(program)) {}
  Result<Finished> call(const std::vector<std::string>& arguments, const std::filesystem::path& input, Agent agent) const;

  std::filesystem::path env_, program_;
};

}  // namespace brownout::bundle
