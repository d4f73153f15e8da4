// SPDX-License-Identifier: MIT
// Keys of OpenSSL, for what openssl alone shall be able to check.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/types.h>

#include "brownout/error.hpp"

namespace brownout::bundle {

class PemKey {
 public:
  // kRefused for one with a passphrase, and for what OpenSSL does not read: OpenSSH's own format, for one.
  static Result<PemKey> read_private(const std::filesystem::path& path);
  static Result<PemKey> read_public(std::string_view pem);

  Result<std::string> sign(std::string_view message) const;
  bool holds(std::string_view message, std::string_view signature) const;
  std::string public_pem() const;
  std::string id() const;  // sha256 of the public half in DER

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const;
  };
  explicit PemKey(EVP_PKEY* key) : key_(key) {}
  std::unique_ptr<EVP_PKEY, Free> key_;
};

std::string to_base64(std::string_view bytes);
// kFormat for what is no base64.
Result<std::string> from_base64(std::string_view text);

}  // namespace brownout::bundle
