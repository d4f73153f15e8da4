// SPDX-License-Identifier: MIT
// Who sealed a bundle: the list of its digests, signed with keys that people have, so that ssh-keygen and openssl check it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "brownout/error.hpp"

namespace brownout::bundle {

struct SigningOptions {
  std::filesystem::path key;             // of OpenSSH: private, or public with its other half in the agent
  std::filesystem::path attestation_key; // private, PEM; empty: `key`, if OpenSSL reads it
};

class Signer {
 public:
  // Signs something on trial, so that a key that cannot sign is known before anything is attached. kRefused, with what to
  // do.
  static Result<Signer> open(const SigningOptions& options);
  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;
  ~Signer();

  // "ED25519 SHA256:..."
  std::string key_name() const;
  bool attests() const;
  // For the manifest: which key, where it was, and the public half of the one that attests.
  nlohmann::json describe() const;
  // Of a directory with all files of a bundle: writes SHA256SUMS.txt.sig, and attestation.dsse.json if it attests.
  Result<> sign(const std::filesystem::path& directory) const;

 private:
  struct State;
  explicit Signer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace brownout::bundle
