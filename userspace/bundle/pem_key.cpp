// SPDX-License-Identifier: MIT
#include "pem_key.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "brownout/digest.hpp"
#include "brownout/fd.hpp"

namespace brownout::bundle {
namespace {

constexpr std::size_t kLargestKey = std::size_t{1} << 20;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

Bio reader(std::string_view text) {
  // As for digests: no modules that the host's openssl.cnf may name.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  return Bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

std::string taken(BIO* bio) {
  char* text = nullptr;
  const auto length = BIO_get_mem_data(bio, &text);
  return {text, static_cast<std::size_t>(length)};
}

int no_passphrase(char*, int, int, void*) { return -1; }

std::string openssl_reason() {
  std::string reason = "OpenSSL gives no reason";
  if (const auto code = ERR_peek_last_error(); code != 0)
    if (const char* text = ERR_reason_error_string(code)) reason = text;
  ERR_clear_error();
  return reason;
}

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// Ed25519 and Ed448 take the message itself.
const EVP_MD* digest_for(EVP_PKEY* key) {
  return EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1 ? nullptr : EVP_sha256();
}

}  // namespace

void PemKey::Free::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

Result<PemKey> PemKey::read_private(const std::filesystem::path& path) {
  BROWNOUT_ASSIGN(const auto text, read_file(path, kLargestKey));
  const auto bio = reader(text);
  if (EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)) return PemKey{key};
  return fail(ErrorCode::kRefused, fmt::format("cannot attest with {}: {}", path.string(), openssl_reason()),
              "It must be a private key in PEM without a passphrase, not in OpenSSH's own format: openssl genpkey "
              "-algorithm ed25519 -out KEY");
}

Result<PemKey> PemKey::read_public(std::string_view pem) {
  const auto bio = reader(pem);
  if (EVP_PKEY* key = PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr)) return PemKey{key};
  return fail(ErrorCode::kFormat, "not a public key in PEM: " + openssl_reason());
}

Result<std::string> PemKey::sign(std::string_view message) const {
  const Context context{EVP_MD_CTX_new()};
  std::size_t size = 0;
  std::string signature;
  bool done = EVP_DigestSignInit(context.get(), nullptr, digest_for(key_.get()), nullptr, key_.get()) == 1 &&
              EVP_DigestSign(context.get(), nullptr, &size, bytes(message), message.size()) == 1;
  if (done) {
    signature.resize(size);
    done = EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes(message),
                          message.size()) == 1;
    signature.resize(size);
  }
  if (!done)
    return fail(ErrorCode::kRefused, "this key cannot sign: " + openssl_reason(), "Take RSA, ECDSA or Ed25519.");
  return signature;
}

bool PemKey::holds(std::string_view message, std::string_view signature) const {
  const Context context{EVP_MD_CTX_new()};
  const bool held =
      EVP_DigestVerifyInit(context.get(), nullptr, digest_for(key_.get()), nullptr, key_.get()) == 1 &&
      EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(message), message.size()) == 1;
  ERR_clear_error();
  return held;
}

std::string PemKey::public_pem() const {
  const Bio bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_PUBKEY(bio.get(), key_.get());
  return taken(bio.get());
}

std::string PemKey::id() const {
  const Bio bio{BIO_new(BIO_s_mem())};
  i2d_PUBKEY_bio(bio.get(), key_.get());
  return sha256(taken(bio.get()));
}

std::string to_base64(std::string_view text) {
  std::string encoded((text.size() + 2) / 3 * 4 + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()), bytes(text), static_cast<int>(text.size()));
  encoded.resize(static_cast<std::size_t>(length));
  return encoded;
}

Result<std::string> from_base64(std::string_view text) {
  std::string decoded(text.size() / 4 * 3 + 1, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()), bytes(text), static_cast<int>(text.size()));
  const auto padding = std::ranges::count(text, '=');
  if (length < padding) return fail(ErrorCode::kFormat, "not base64");
  decoded.resize(static_cast<std::size_t>(length - padding));
  return decoded;
}

}  // namespace brownout::bundle
