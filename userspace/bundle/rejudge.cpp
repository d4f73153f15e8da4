// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "brownout/bundle.hpp"
#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "layout.hpp"
#include "opened.hpp"
#include "recorded_plan.hpp"
#include "rejudge.hpp"

namespace brownout::bundle {
namespace {

Result<std::string> sealed_verdict(const std::filesystem::path& directory) {
  const auto text = read_file(directory / kVerdict, kLargestDocument);
  if (!text && text.error().code == ErrorCode::kNotFound) return std::string{};
  if (!text) return std::unexpected(text.error());
  BROWNOUT_ASSIGN(const auto sealed, events::parse_json(*text, kVerdict));
  if (!sealed.is_object() || !sealed.contains("verdict") || !sealed.at("verdict").is_string())
    return fail(ErrorCode::kFormat, fmt::format("{} names no verdict", kVerdict));
  return sealed.at("verdict").get<std::string>();
}

// The seed is the recorded one whatever the other drill says: the packets were hit by it.
Result<plan::Plan> plan_by(const std::filesystem::path& drill, const std::filesystem::path& directory) {
  BROWNOUT_ASSIGN(const auto seed, recorded_seed(directory));
  BROWNOUT_ASSIGN(auto loaded, drill::load(drill));
  loaded.seed = seed;
  return plan::compile(std::move(loaded), seed);
}

}  // namespace

Result<Judgement> rejudge_files(const std::filesystem::path& directory,
                                const std::optional<std::filesystem::path>& drill) {
  Judgement judgement;
  BROWNOUT_ASSIGN(judgement.plan, drill ? plan_by(*drill, directory) : recorded_plan(directory));
  BROWNOUT_ASSIGN(const auto recorded, read_file(directory / kDrill, kLargestDocument));
  judgement.recorded_drill_sha256 = sha256(recorded);
  judgement.drill_sha256 = sha256(judgement.plan.drill.text);
  BROWNOUT_ASSIGN(auto reading, findings::read(judgement.plan, directory));
  judgement.evidence = std::move(reading.evidence);
  judgement.findings = std::move(reading.findings);
  judgement.verdict = verdict::judge(judgement.plan, judgement.evidence, judgement.findings);
  BROWNOUT_ASSIGN(judgement.sealed_verdict, sealed_verdict(directory));
  return judgement;
}

Result<nlohmann::json> recorded_manifest(const std::filesystem::path& directory) {
  const auto text = read_file(directory / kManifest, kLargestDocument);
  if (!text && text.error().code == ErrorCode::kNotFound) return nlohmann::json::object();
  if (!text) return std::unexpected(text.error());
  BROWNOUT_ASSIGN(auto manifest, events::parse_json(*text, kManifest));
  if (!manifest.is_object()) return fail(ErrorCode::kFormat, fmt::format("{} is not an object", kManifest));
  return manifest;
}

Result<Judgement> rejudge(const std::filesystem::path& evidence, const std::optional<std::filesystem::path>& drill) {
  BROWNOUT_ASSIGN(const auto opened, Opened::open(evidence));
  return rejudge_files(opened.directory(), drill);
}

}  // namespace brownout::bundle
