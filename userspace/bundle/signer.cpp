// SPDX-License-Identifier: MIT
#include "brownout/signing.hpp"

#include <cstdlib>
#include <optional>
#include <utility>

#include <fcntl.h>

#include <fmt/format.h>

#include "attestation.hpp"
#include "brownout/fd.hpp"
#include "layout.hpp"
#include "private_directory.hpp"
#include "ssh_signature.hpp"

namespace brownout::bundle {
namespace {

using Agent = SshKeygen::Agent;

constexpr std::string_view kTrial = "brownout: can this key sign?\n";

struct Tried {
  SshKey key;
  Agent agent;
};

Result<Tried> try_out(const SshKeygen& ssh, const std::filesystem::path& key) {
  BROWNOUT_ASSIGN(const auto directory, PrivateDirectory::make());
  const auto message = directory.path() / "trial", signature = directory.path() / "trial.sig";
  BROWNOUT_TRY(write_file(message, kTrial));
  // Without the agent first: whether the key's file alone is enough is what the host's owner could sign with.
  Agent agent = Agent::kNotAsked;
  auto signed_text = ssh.sign(key, message, agent);
  if (!signed_text && std::getenv("SSH_AUTH_SOCK") != nullptr) {
    agent = Agent::kAsked;
    auto by_agent = ssh.sign(key, message, agent);
    // A file that wants a passphrase says more than that the agent lacks it.
    if (by_agent) signed_text = std::move(by_agent);
  }
  BROWNOUT_TRY(signed_text);
  BROWNOUT_TRY(write_file(signature, *signed_text));
  BROWNOUT_ASSIGN(auto by, ssh.check(message, signature));
  return Tried{std::move(by), agent};
}

Result<std::optional<PemKey>> attestation_key(const SigningOptions& options) {
  const bool own = !options.attestation_key.empty();
  auto key = PemKey::read_private(own ? options.attestation_key : options.key);
  if (!key && own) return std::unexpected(std::move(key).error());
  if (!key) return std::nullopt;
  BROWNOUT_TRY(key->sign(kTrial));
  return std::move(*key);
}

}  // namespace

struct Signer::State {
  SshKeygen ssh;
  std::filesystem::path key;
  SshKey by;
  SshKeygen::Agent agent;
  std::optional<PemKey> attesting;
};

Signer::Signer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;
Signer::~Signer() = default;

Result<Signer> Signer::open(const SigningOptions& options) {
  BROWNOUT_ASSIGN(auto ssh, SshKeygen::find());
  BROWNOUT_TRY(open_file(options.key, O_RDONLY));
  BROWNOUT_ASSIGN(auto tried, try_out(ssh, options.key));
  BROWNOUT_ASSIGN(auto attesting, attestation_key(options));
  auto& [by, agent] = tried;
  return Signer{std::make_unique<State>(State{std::move(ssh), options.key, std::move(by), agent, std::move(attesting)})};
}

std::string Signer::key_name() const {
  return fmt::format("{} {}", state_->by.type, state_->by.fingerprint);
}

bool Signer::attests() const { return state_->attesting.has_value(); }

nlohmann::json Signer::describe() const {
  const auto& key = state_->by;
  const char* held = key.type.ends_with("-SK") ? "security_key" : state_->agent == Agent::kAsked ? "agent" : "file";
  return {{"key", key.fingerprint},
          {"type", key.type},
          {"namespace", kSignatureNamespace},
          {"held", held},
          {"attestation_public_key", attests() ? nlohmann::json(state_->attesting->public_pem()) : nlohmann::json()}};
}

Result<> Signer::sign(const std::filesystem::path& directory) const {
  BROWNOUT_ASSIGN(const auto signature, state_->ssh.sign(state_->key, directory / kChecksums, state_->agent));
  BROWNOUT_TRY(write_file(directory / kSignature, signature));
  if (!attests()) return {};
  BROWNOUT_ASSIGN(const auto attestation, attest(directory, *state_->attesting));
  return write_file(directory / kAttestation, attestation);
}

}  // namespace brownout::bundle
