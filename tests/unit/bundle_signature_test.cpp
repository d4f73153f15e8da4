// SPDX-License-Identifier: MIT
// Who vouches for a bundle is said as it is; keys that cannot sign are refused before a drill begins.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <fmt/ranges.h>

#include "../support/signing_keys.hpp"

namespace bundle_signature_test {

using namespace brownout;
using namespace brownout::test;
using Catch::Matchers::ContainsSubstring;

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

bundle::Signer signer_of(const std::string& key, const std::string& attestation_key = {}) {
  return value_of(bundle::Signer::open(
      {.key = signing_keys().of(key),
       .attestation_key = attestation_key.empty() ? fs::path{} : signing_keys().of(attestation_key)}));
}

class Bundle {
 public:
  explicit Bundle(const bundle::Signer* signer) {
    const ScratchDirectory staging;
    const auto plan = fixture_plan();
    stage(staging.path(), plan, EvidenceBuilder{}.rates(4, 3).failures(8));
    sealed = seal_staged(staging.path(), out_.path(), plan, signer);
  }
  std::vector<TarMember> members() const { return unpack(sealed.archive); }
  fs::path packed(const std::vector<TarMember>& members) const {
    pack(out_ / "changed.tar.gz", members);
    return out_ / "changed.tar.gz";
  }
  bundle::Sealed sealed;

 private:
  ScratchDirectory out_;
};

// Sealing takes a while; tests that only read may share. Attested by a key of its own.
const Bundle& signed_bundle() {
  static const auto signer = signer_of("ed25519", "pem");
  static const Bundle bundle{&signer};
  return bundle;
}
const Bundle& unsigned_bundle() {
  static const Bundle bundle{nullptr};
  return bundle;
}

struct Said {
  bool ok = false;
  std::string problems, held, origin;
};

Said verified(const fs::path& archive, const bundle::VerifyOptions& options = {}) {
  const auto verification = value_of(bundle::verify(archive, options));
  return {verification.ok, fmt::format("{}", fmt::join(verification.problems, "\n")),
          fmt::format("{}", fmt::join(verification.held, "\n")),
          fmt::format("{}", fmt::join(verification.origin, "\n"))};
}

json manifest_of(const Bundle& bundle) {
  auto members = bundle.members();
  return json::parse(find_member(members, "manifest.json").content);
}

Error refusal(const fs::path& key, const fs::path& attestation_key = {}) {
  const auto signer = bundle::Signer::open({.key = key, .attestation_key = attestation_key});
  REQUIRE_FALSE(signer);
  return signer.error();
}

}  // namespace

TEST_CASE("a signed bundle says by whom, and that a key on the host proves little") {
  const auto& bundle = signed_bundle();
  CHECK_THAT(bundle.sealed.signed_by, ContainsSubstring("ED25519 SHA256:"));
  const auto unknown = verified(bundle.sealed.archive, {.require_signature = true});
  CHECK(unknown.problems == "");
  CHECK_THAT(unknown.origin, ContainsSubstring("signed by somebody") && ContainsSubstring("SHA256:") &&
                                 ContainsSubstring("the host's owner could forge"));
  CHECK_THAT(unknown.held, ContainsSubstring("signature: SHA256SUMS.txt is signed") &&
                               ContainsSubstring("attestation: ") &&
                               ContainsSubstring("cover every byte of the records"));
  const auto known = verified(bundle.sealed.archive, {.allowed_signers = signing_keys().allowed()});
  CHECK(known.problems == "");
  CHECK_THAT(known.origin, ContainsSubstring("signed by drill@example.org (key SHA256:"));
  CHECK(manifest_of(bundle)["signing"]["held"] == "file");
}

TEST_CASE("an unsigned bundle holds, its origin is not proven, and it is refused where a signature is required") {
  const auto& archive = unsigned_bundle().sealed.archive;
  const auto said = verified(archive);
  CHECK(said.ok);
  CHECK(said.origin == "NOT PROVEN (unsigned)");
  CHECK_THAT(verified(archive, {.require_signature = true}).problems, ContainsSubstring("a signature is required"));
  CHECK_THAT(verified(archive, {.allowed_signers = signing_keys().allowed()}).problems,
             ContainsSubstring("a signature is required"));
  const auto nobody = bundle::verify(archive, {.allowed_signers = signing_keys().of("absent")});
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == ErrorCode::kNotFound);
}

TEST_CASE("a signature of somebody else, of nothing, or none where there was one is refused") {
  const auto& bundle = signed_bundle();
  const auto whole = bundle.members();
  auto members = whole;
  std::erase_if(members, [](const auto& member) { return member.path.ends_with(".sig"); });
  CHECK_THAT(verified(bundle.packed(members)).problems,
             ContainsSubstring("missing: SHA256SUMS.txt.sig; manifest.json names key"));
  members = whole;
  std::erase_if(members, [](const auto& member) { return member.path.ends_with(".dsse.json"); });
  CHECK_THAT(verified(bundle.packed(members)).problems, ContainsSubstring("missing: attestation.dsse.json"));

  const ScratchDirectory scratch;
  members = whole;
  spill(scratch / "sums", find_member(members, "SHA256SUMS.txt").content);
  const auto sign = [&](const char* key, const char* name) {
    fs::remove(scratch / "sums.sig");
    shell_or_throw(fmt::format("ssh-keygen -q -Y sign -f '{}' -n '{}' '{}' 2>/dev/null",
                               signing_keys().of(key).string(), name, (scratch / "sums").string()));
    find_member(members, "SHA256SUMS.txt.sig").content = slurp(scratch / "sums.sig");
    return verified(bundle.packed(members), {.allowed_signers = signing_keys().allowed()});
  };
  CHECK(sign("ed25519", "brownout-evidence@v1").ok);
  const auto other = sign("other", "brownout-evidence@v1");
  CHECK_THAT(other.problems,
             ContainsSubstring("manifest.json names") && ContainsSubstring("names nobody with its key"));
  CHECK_THAT(other.origin, ContainsSubstring("NOT PROVEN"));
  CHECK_THAT(sign("ed25519", "file").problems, ContainsSubstring("the signature does not hold"));
  find_member(members, "SHA256SUMS.txt.sig").content = "none";
  CHECK_THAT(verified(bundle.packed(members)).problems, ContainsSubstring("the signature does not hold"));
}

TEST_CASE("what was sealed unsigned can be signed elsewhere") {
  const auto& bundle = unsigned_bundle();
  auto members = bundle.members();
  const ScratchDirectory scratch;
  spill(scratch / "sums", find_member(members, "SHA256SUMS.txt").content);
  shell_or_throw(fmt::format("ssh-keygen -q -Y sign -f '{}' -n brownout-evidence@v1 '{}' 2>/dev/null",
                             signing_keys().of("ed25519").string(), (scratch / "sums").string()));
  const auto top = members.front().path.substr(0, members.front().path.find('/'));
  members.push_back({top + "/SHA256SUMS.txt.sig", slurp(scratch / "sums.sig")});
  const auto said = verified(bundle.packed(members), {.allowed_signers = signing_keys().allowed()});
  CHECK(said.problems == "");
  CHECK_THAT(said.origin, ContainsSubstring("signed by drill@example.org") &&
                              ContainsSubstring("where the key lay is not recorded"));
}

TEST_CASE("an attestation is of this bundle, by the key that the manifest names, or refused") {
  const auto& bundle = signed_bundle();
  auto members = bundle.members();
  auto& text = find_member(members, "attestation.dsse.json").content;
  const auto whole = text;
  auto envelope = json::parse(whole);
  text = envelope.dump();
  CHECK_THAT(verified(bundle.packed(members)).problems, ContainsSubstring("attestation.dsse.json does not follow"));
  auto signature = envelope["signatures"][0]["sig"].get<std::string>();
  signature[4] = signature[4] == 'A' ? 'B' : 'A';
  envelope["signatures"][0]["sig"] = signature;
  text = envelope.dump(2) + "\n";
  CHECK_THAT(verified(bundle.packed(members)).problems, ContainsSubstring("the signature is not by the key"));
  envelope["signatures"][0]["sig"] = "?";
  text = envelope.dump(2) + "\n";
  CHECK_THAT(verified(bundle.packed(members)).problems, ContainsSubstring("not base64"));
  text = "[]";
  CHECK_THAT(verified(bundle.packed(members)).problems, ContainsSubstring("has no signature"));
  text = whole;
  CHECK(verified(bundle.packed(members)).ok);
}

TEST_CASE("a key in PEM signs and attests") {
  const auto signer = signer_of("ecdsa");
  CHECK(signer.attests());
  const Bundle bundle{&signer};
  const auto said = verified(bundle.sealed.archive);
  CHECK(said.problems == "");
  CHECK_THAT(said.held, ContainsSubstring("ECDSA key SHA256:") && ContainsSubstring("attestation: "));
  CHECK_FALSE(signer_of("ed25519").attests());
}

TEST_CASE("a key that cannot sign is refused, with what helps") {
  const auto& keys = signing_keys();
  CHECK(refusal(keys.of("absent")).code == ErrorCode::kNotFound);
  const auto locked = refusal(keys.of("locked"));
  CHECK(locked.code == ErrorCode::kRefused);
  CHECK_THAT(locked.hint, ContainsSubstring("ssh-add"));
  const ScratchDirectory scratch;
  spill(scratch / "garbage", "no key\n");
  CHECK_THAT(refusal(scratch / "garbage").what, ContainsSubstring("cannot sign with"));
  fs::copy_file(keys.of("ed25519.pub"), scratch / "alone.pub");
  CHECK_THAT(refusal(scratch / "alone.pub").hint, ContainsSubstring("there is no agent"));
  fs::copy_file(keys.of("ecdsa"), scratch / "ecdsa");
  CHECK_THAT(refusal(scratch / "ecdsa").hint, ContainsSubstring("ssh-keygen -y -f KEY > KEY.pub"));
  fs::copy_file(keys.of("ed25519"), scratch / "open");
  fs::copy_file(keys.of("ed25519.pub"), scratch / "open.pub");
  fs::permissions(scratch / "open", fs::perms::others_read, fs::perm_options::add);
  CHECK_THAT(refusal(scratch / "open").hint, ContainsSubstring("chmod 600"));
  CHECK_THAT(refusal(keys.of("ed25519"), keys.of("ed25519")).hint, ContainsSubstring("openssl genpkey"));
}

TEST_CASE("a key in the agent signs without a passphrase, and the manifest says so") {
  const auto& keys = signing_keys();
  const ScratchDirectory scratch;
  fs::copy_file(keys.of("ed25519.pub"), scratch / "alone.pub");
  const SshAgent agent{keys.of("ed25519")};
  const auto signer = value_of(bundle::Signer::open({.key = scratch / "alone.pub", .attestation_key = {}}));
  CHECK(signer.describe()["held"] == "agent");
  const Bundle bundle{&signer};
  CHECK_THAT(verified(bundle.sealed.archive).origin, ContainsSubstring("while its agent was connected"));
  fs::copy_file(keys.of("other.pub"), scratch / "other.pub");
  CHECK_THAT(refusal(scratch / "other.pub").hint, ContainsSubstring("The agent does not hold it"));
}

TEST_CASE("a drill whose key is gone at its end is sealed, unsigned, and says so") {
  const ScratchDirectory scratch;
  for (const char* file : {"ed25519", "ed25519.pub"}) fs::copy_file(signing_keys().of(file), scratch / file);
  const auto signer = value_of(bundle::Signer::open({.key = scratch / "ed25519", .attestation_key = {}}));
  fs::remove(scratch / "ed25519");
  const Bundle bundle{&signer};
  CHECK(bundle.sealed.signed_by == "");
  CHECK_THAT(bundle.sealed.not_signed_because, ContainsSubstring("cannot sign with"));
  const auto said = verified(bundle.sealed.archive);
  CHECK(said.problems == "");
  CHECK_THAT(said.origin, ContainsSubstring("NOT PROVEN (unsigned, as signing failed: cannot sign with"));
  CHECK_FALSE(verified(bundle.sealed.archive, {.require_signature = true}).ok);
}

TEST_CASE("evidence whose rules were changed after they were fixed is not sealed") {
  const ScratchDirectory staging, out;
  stage(staging.path(), fixture_plan());
  const auto other =
      value_of(plan::compile(value_of(drill::parse(std::string{kFixtureDrill} + "# stricter\n", "drill.yaml")), 7));
  done(bundle::stage_plan(other, staging.path()));
  const auto [evidence, findings] = value_of(findings::read(other, staging.path()));
  const auto verdict = verdict::judge(other, evidence, findings);
  const auto sealed =
      bundle::seal(staging.path(), out.path(), "IEB_x", fixture_manifest(other), other, verdict, kSealedAt);
  REQUIRE_FALSE(sealed);
  CHECK(sealed.error().code == ErrorCode::kRefused);
  CHECK_THAT(sealed.error().what, ContainsSubstring("drill.yaml is not what was fixed before the drill"));
}

}  // namespace bundle_signature_test
