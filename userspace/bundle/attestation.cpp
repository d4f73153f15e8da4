// SPDX-License-Identifier: MIT
#include "attestation.hpp"

#include <fmt/format.h>

#include "brownout/digest.hpp"
#include "brownout/events.hpp"
#include "brownout/fd.hpp"
#include "document.hpp"
#include "layout.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;

constexpr std::string_view kPayloadType = "application/vnd.in-toto+json";

Result<json> read_object(const std::filesystem::path& directory, std::string_view path) {
  BROWNOUT_ASSIGN(const auto text, read_file(directory / path, kLargestDocument));
  BROWNOUT_ASSIGN(auto object, events::parse_json(text, path));
  if (!object.is_object()) return fail(ErrorCode::kFormat, fmt::format("{} is not an object", path));
  return object;
}

Result<std::string> statement(const std::filesystem::path& directory) {
  BROWNOUT_ASSIGN(const auto sums, sha256_file(directory / kChecksums));
  BROWNOUT_ASSIGN(const auto plan, sha256_file(directory / kPlan));
  BROWNOUT_ASSIGN(const auto verdict, read_object(directory, kVerdict));
  BROWNOUT_ASSIGN(const auto manifest, read_object(directory, kManifest));
  json predicate{{"verdict", verdict.value("verdict", json())},
                 {"reasons", verdict.value("reasons", json())},
                 {"plan_sha256", plan}};
  for (const char* key : {"bundle", "sealed_utc", "drill", "drill_sha256", "tool"})
    predicate[key] = manifest.value(key, json());
  return document({{"_type", "https://in-toto.io/Statement/v1"},
                   {"subject", json::array({{{"name", kChecksums}, {"digest", {{"sha256", sums}}}}})},
                   {"predicateType", "urn:brownout:drill-verdict:v1"},
                   {"predicate", predicate}});
}

// What is signed of an envelope, by DSSE 1.0.
std::string pre_authentication(std::string_view payload) {
  return fmt::format("DSSEv1 {} {} {} {}", kPayloadType.size(), kPayloadType, payload.size(), payload);
}

std::string envelope(std::string_view payload, std::string_view signature, const PemKey& key) {
  return document({{"payloadType", kPayloadType},
                   {"payload", to_base64(payload)},
                   {"signatures", json::array({{{"keyid", key.id()}, {"sig", to_base64(signature)}}})}});
}

Result<std::string> signature_in(const json& attestation) {
  static const json::json_pointer place{"/signatures/0/sig"};
  if (!attestation.contains(place) || !attestation.at(place).is_string())
    return fail(ErrorCode::kFormat, fmt::format("{} has no signature", kAttestation));
  return from_base64(attestation.at(place).get_ref<const std::string&>());
}

}  // namespace

Result<std::string> attest(const std::filesystem::path& directory, const PemKey& key) {
  BROWNOUT_ASSIGN(const auto payload, statement(directory));
  BROWNOUT_ASSIGN(const auto signature, key.sign(pre_authentication(payload)));
  return envelope(payload, signature, key);
}

Result<> check_attestation(const std::filesystem::path& directory, const PemKey& key) {
  BROWNOUT_ASSIGN(const auto text, read_file(directory / kAttestation, kLargestDocument));
  BROWNOUT_ASSIGN(const auto attestation, events::parse_json(text, kAttestation));
  BROWNOUT_ASSIGN(const auto signature, signature_in(attestation));
  BROWNOUT_ASSIGN(const auto payload, statement(directory));
  if (envelope(payload, signature, key) != text)
    return fail(ErrorCode::kFormat, fmt::format("{} does not follow from the other files", kAttestation));
  if (!key.holds(pre_authentication(payload), signature))
    return fail(ErrorCode::kFormat,
                fmt::format("{}: the signature is not by the key that {} names", kAttestation, kManifest));
  return {};
}

}  // namespace brownout::bundle
