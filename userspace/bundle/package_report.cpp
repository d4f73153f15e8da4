// SPDX-License-Identifier: MIT
#include "package_report.hpp"

#include <fmt/format.h>

#include "brownout/text.hpp"

namespace brownout::bundle {
namespace {

using nlohmann::json;

constexpr std::string_view kSuffix = ".tar.gz";

std::string value_at(const json& manifest, const char* pointer) {
  const json::json_pointer place{pointer};
  if (!manifest.contains(place)) return "-";
  const auto& value = manifest.at(place);
  return visible(value.is_string() ? value.get<std::string>() : value.dump());
}

std::string rules_of(const json& manifest) {
  std::string text;
  for (const auto& rule : manifest.value("rules", json::array()))
    text += fmt::format("rule: {}: {}: {}\n", value_at(rule, "/outcome"), value_at(rule, "/rule"),
                        value_at(rule, "/detail"));
  return text;
}

std::string mismatches_of(const json& manifest) {
  std::string text;
  if (const json::json_pointer place{"/shards/mismatches"}; manifest.contains(place))
    for (const auto& mismatch : manifest.at(place))
      text += fmt::format("shard_mismatch: {}: {}\n", value_at(mismatch, "/shard"), value_at(mismatch, "/problem"));
  return text;
}

}  // namespace

std::filesystem::path package_report_path(const std::filesystem::path& archive) {
  auto path = archive.string();
  if (path.ends_with(kSuffix)) path.resize(path.size() - kSuffix.size());
  return path + ".report.txt";
}

std::string render_package_report(const Sealed& sealed, const json& manifest, const verdict::Verdict& verdict) {
  std::error_code error;
  const auto path = std::filesystem::absolute(sealed.archive, error).lexically_normal();
  std::string text = fmt::format("archive: {}\narchive_path: {}\narchive_size: {}\narchive_sha256: {}\n",
                                 sealed.archive.filename().string(), visible(path.string()), sealed.size, sealed.sha256);
  text += fmt::format("verdict: {}\n", verdict::name(verdict.outcome));
  for (const auto& reason : verdict.reasons) text += fmt::format("reason: {}\n", visible(reason));
  const auto say = [&](const char* key, const char* pointer) {
    text += fmt::format("{}: {}\n", key, value_at(manifest, pointer));
  };
  say("run_id", "/run_id");
  say("drill", "/drill");
  say("target", "/target/name");
  say("git_commit", "/audit/git_commit/value");
  say("docker_image_tag", "/audit/docker_image_tag/value");
  say("sealed_utc", "/sealed_utc");
  say("missing_required_files_count", "/missing_required_files_count");
  // The application's, as its manifest had them last; then how the drill itself ended.
  for (const char* key : {"status", "stop_detected", "stop_time", "stop_reason"})
    say(key, fmt::format("/app_stop/{}", key).c_str());
  for (const char* key : {"status", "stop_detected", "stop_time", "stop_reason"})
    say(fmt::format("drill_{}", key).c_str(), fmt::format("/stop/{}", key).c_str());
  say("shards", "/shards/shards");
  say("shards_verified", "/shards/verified");
  say("shard_mismatches", "/shards/mismatches_count");
  return text + mismatches_of(manifest) + rules_of(manifest);
}

}  // namespace brownout::bundle
