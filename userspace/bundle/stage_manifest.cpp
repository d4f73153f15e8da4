// SPDX-License-Identifier: MIT
// The manifest as it was begun, for a drill that may not come to its end.
#include <fmt/format.h>

#include <fcntl.h>

#include "brownout/bundle.hpp"
#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "document.hpp"
#include "layout.hpp"
#include "run_directory_copy.hpp"

namespace brownout::bundle {
namespace {

// "plan.json.Xa81bQ": of write_file(), which renames it when it is whole.
bool is_half_written(std::string_view path) {
  static constexpr std::size_t kSuffix = 7;
  return path.size() > kSuffix && path[path.size() - kSuffix] == '.' && !is_known(path) &&
         is_known(path.substr(0, path.size() - kSuffix));
}

// Derived from the evidence at sealing, and to be derived again.
bool is_derived(std::string_view path) {
  return is_unlisted(path) || path == kFileList || path == kVerdict || path == kReport || path == kReportHtml ||
         path == kTimeSeries || path == kActions || path == kShards || path == kRedactions || path.starts_with("schema/");
}

// The list is written when all copies are: without it, or with one that does not fit, copying was cut off.
Result<bool> copies_are_whole(const std::filesystem::path& staging) {
  const auto text = read_file(staging / kRunDirectoryCopy, kLargestDocument);
  if (!text) return false;
  const auto listed = events::parse_json(*text, kRunDirectoryCopy);
  const auto files = listed ? copied_files(*listed) : std::unexpected(listed.error());
  if (!files) return false;
  for (const auto& [path, member] : *files) {
    const auto copy = staging / kRunDirectory / path;
    if (!is_safe(path) || !std::filesystem::is_regular_file(copy)) return false;
    BROWNOUT_ASSIGN(const auto digest, sha256_file(copy));
    if (digest != member.sha256) return false;
  }
  return true;
}

// How many files that were.
Result<std::size_t> drop_copies(const std::filesystem::path& staging) {
  std::error_code error;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{staging / kRunDirectory, error})
    files += entry.is_regular_file(error);
  for (const auto what : {kRunDirectory, kRunDirectoryCopy}) {
    std::filesystem::remove_all(staging / what, error);
    if (error) return fail_errno(ErrorCode::kIo, error.value(), fmt::format("remove {}", (staging / what).string()));
  }
  return files;
}

}  // namespace

Result<> stage_manifest(const Manifest& manifest, const std::filesystem::path& staging) {
  return write_file(staging / kManifest, document(manifest.json));
}

Result<Manifest> reopen_staging(const std::filesystem::path& staging) {
  BROWNOUT_ASSIGN(const bool whole, copies_are_whole(staging));
  std::size_t dropped = 0;
  if (!whole) {
    BROWNOUT_ASSIGN(dropped, drop_copies(staging));
  }
  BROWNOUT_ASSIGN(const auto fd, open_file(staging, O_RDONLY | O_DIRECTORY));
  BROWNOUT_ASSIGN(const auto files, events::walk_beneath(fd.get()));
  for (const auto& file : files) {
    std::error_code error;
    if (is_half_written(file.path) || is_derived(file.path)) std::filesystem::remove(staging / file.path, error);
    if (error) return fail_errno(ErrorCode::kIo, error.value(), "remove " + (staging / file.path).string());
  }
  auto text = read_file(staging / kManifest, kLargestDocument);
  if (!text && text.error().code == ErrorCode::kNotFound)
    return fail(
        ErrorCode::kNotFound, fmt::format("{} has no {}", staging.string(), kManifest),
        "Its drill ended before anything was attached: there is no evidence, and the directory can be removed.");
  if (!text) return std::unexpected(std::move(text).error());
  BROWNOUT_ASSIGN(auto manifest, events::parse_json(*text, kManifest));
  if (!manifest.is_object()) return fail(ErrorCode::kFormat, fmt::format("{} is not an object", kManifest));
  manifest["run_dir_copies_dropped"] = dropped;
  return Manifest{std::move(manifest)};
}

}  // namespace brownout::bundle
