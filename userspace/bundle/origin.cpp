// SPDX-License-Identifier: MIT
#include "origin.hpp"

#include <utility>

#include <fcntl.h>

#include <fmt/format.h>

#include "attestation.hpp"
#include "brownout/fd.hpp"
#include "brownout/json_fields.hpp"
#include "brownout/text.hpp"
#include "layout.hpp"
#include "ssh_signature.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;

// By the manifest's own account, which whoever held the key signed.
std::string where_the_key_lay(const std::string& held) {
  if (held == "file") return "the host's owner could forge: the key lay in a file on the audited host";
  if (held == "agent") return "the host's owner could have used the key as well, while its agent was connected";
  if (held == "security_key") return "a security key signed: without it in his hands the host's owner could not";
  return "signed after it was sealed: where the key lay is not recorded";
}

class OriginCheck {
 public:
  OriginCheck(std::filesystem::path directory, const Members& members, const json& manifest, const VerifyOptions& options)
      : directory_(std::move(directory)),
        members_(members),
        signing_(object_at(manifest, "/signing")),
        allowed_(options.allowed_signers),
        wanted_(options.require_signature || !options.allowed_signers.empty()) {}

  Result<Origin> run() {
    if (!allowed_.empty()) BROWNOUT_TRY(open_file(allowed_, O_RDONLY));
    if (has(kSignature)) {
      check_signature();
    } else {
      note_unsigned();
    }
    check_attestation();
    return std::move(origin_);
  }

 private:
  bool has(std::string_view path) const { return members_.contains(std::string{path}); }
  void report(std::string_view problem) { origin_.problems.push_back(visible(problem)); }
  void say(std::string_view what) { origin_.says.push_back(visible(what)); }

  std::string signing(const char* pointer) const { return text_at(signing_, pointer); }

  void note_unsigned() {
    const auto failed = signing("/failed");
    say(failed.empty() ? "NOT PROVEN (unsigned)" : fmt::format("NOT PROVEN (unsigned, as signing failed: {})", failed));
    if (!signing("/key").empty())
      report(fmt::format("missing: {}; {} names key {}", kSignature, kManifest, signing("/key")));
    if (wanted_) report("it is unsigned, and a signature is required");
  }

  void check_signature() {
    const auto ssh = SshKeygen::find();
    if (!ssh) {
      say("NOT PROVEN (signed, and not checked: " + ssh.error().what + ")");
      if (wanted_) report("the signature cannot be checked: " + ssh.error().render());
      return;
    }
    const auto key = ssh->check(directory_ / kChecksums, directory_ / kSignature);
    if (!key) return refuse_signature(key.error().what);
    if (const auto named = signing("/key"); !named.empty() && named != key->fingerprint)
      report(fmt::format("{} is by key {}; {} names {}", kSignature, key->fingerprint, kManifest, named));
    std::string by = "somebody (--allowed-signers says whose key it is)";
    if (!allowed_.empty()) {
      const auto principal = ssh->principal(directory_ / kChecksums, directory_ / kSignature, allowed_);
      if (!principal) return refuse_signature(principal.error().what);
      by = *principal;
    }
    origin_.held.push_back(fmt::format("signature: {} is signed, {} key {}", kChecksums, key->type, key->fingerprint));
    say(fmt::format("signed by {} (key {})", by, key->fingerprint));
    say(where_the_key_lay(signing("/held")));
  }

  void refuse_signature(const std::string& why) {
    report(fmt::format("{}: {}", kSignature, why));
    say("NOT PROVEN (the signature is refused)");
  }

  void check_attestation() {
    const auto pem = signing("/attestation_public_key");
    if (!has(kAttestation)) {
      if (!pem.empty()) report(fmt::format("missing: {}; {} has its key", kAttestation, kManifest));
      return;
    }
    const auto key = PemKey::read_public(pem);
    const auto held = key ? bundle::check_attestation(directory_, *key) : std::unexpected(key.error());
    if (!held) return report(fmt::format("{}: {}", kAttestation, held.error().what));
    origin_.held.push_back(fmt::format("attestation: {} is by the key in {}", kAttestation, kManifest));
  }

  std::filesystem::path directory_;
  const Members& members_;
  json signing_;  // what the manifest says of it
  std::filesystem::path allowed_;
  bool wanted_;
  Origin origin_;
};

}  // namespace

Result<Origin> check_origin(const std::filesystem::path& directory, const Members& members, const json& manifest,
                            const VerifyOptions& options) {
  return OriginCheck{directory, members, manifest, options}.run();
}

}  // namespace brownout::bundle
