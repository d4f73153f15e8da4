// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "brownout/bundle.hpp"
#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "content_check.hpp"
#include "extract.hpp"
#include "layout.hpp"
#include "origin.hpp"
#include "package_report.hpp"
#include "private_directory.hpp"
#include "time_stamp_check.hpp"

namespace brownout::bundle {
namespace {

// A digest that was kept beside the archive is checked too; without one there is nothing to compare with.
Result<std::vector<std::string>> check_digest_beside(const std::filesystem::path& archive, const std::string& digest) {
  const auto beside = archive.string() + ".sha256";
  if (std::error_code error; std::filesystem::exists(beside, error) && !std::filesystem::is_regular_file(beside, error))
    return fail(ErrorCode::kFormat, beside + " is not a regular file");
  const auto text = read_file(beside, 4096);
  if (!text && text.error().code == ErrorCode::kNotFound) return std::vector<std::string>{};
  if (!text) return std::unexpected(text.error());
  if (text->starts_with(digest + "  ")) return std::vector<std::string>{};
  return std::vector<std::string>{
      fmt::format("{}.sha256 is of another archive: this one has {}", archive.filename().string(), digest)};
}

// Nor may the report that was published with it be of another.
Result<std::vector<std::string>> check_report_beside(const std::filesystem::path& archive, const std::string& digest) {
  const auto beside = package_report_path(archive);
  if (std::error_code error; !std::filesystem::is_regular_file(beside, error)) return std::vector<std::string>{};
  BROWNOUT_ASSIGN(const auto text, read_file(beside, std::size_t{16} << 20));
  if (text.contains(fmt::format("\narchive_sha256: {}\n", digest))) return std::vector<std::string>{};
  return std::vector<std::string>{
      fmt::format("{} is of another archive: this one has {}", beside.filename().string(), digest)};
}

void append(std::vector<std::string>& to, std::vector<std::string> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

// Null where it cannot be read: why, the check of the content says.
nlohmann::json manifest_in(const std::filesystem::path& directory) {
  const auto text = read_file(directory / kManifest, kLargestDocument);
  const auto manifest = text ? events::parse_json(*text, kManifest) : std::unexpected(text.error());
  return manifest ? *manifest : nlohmann::json();
}

}  // namespace

Result<Verification> verify(const std::filesystem::path& archive, const VerifyOptions& options) {
  Verification verification;
  BROWNOUT_ASSIGN(const auto directory, PrivateDirectory::make());
  BROWNOUT_ASSIGN(auto extracted, extract(archive, directory.path()));
  BROWNOUT_ASSIGN(verification.sha256, sha256_file(archive));
  BROWNOUT_ASSIGN(verification.problems, check_digest_beside(archive, verification.sha256));
  BROWNOUT_ASSIGN(auto of_report, check_report_beside(archive, verification.sha256));
  append(verification.problems, std::move(of_report));
  append(verification.problems, std::move(extracted.problems));
  if (!extracted.members.empty() && verification.problems.empty()) {
    const auto top = directory.path() / extracted.top;
    append(verification.problems, check_listing(top, extracted.members));
    // Files that are not the sealed ones say nothing about the drill.
    if (verification.problems.empty())
      append(verification.problems,
             check_content(top, extracted.top, extracted.members, verification.recomputed, verification.held));
    verification.manifest = manifest_in(top);
    BROWNOUT_ASSIGN(auto origin, check_origin(top, extracted.members, verification.manifest, options));
    append(verification.problems, std::move(origin.problems));
    append(verification.held, std::move(origin.held));
    verification.origin = std::move(origin.says);
    BROWNOUT_ASSIGN(auto stamps, check_time_stamps(top, extracted.members, verification.manifest, verification.sha256, options));
    append(verification.problems, std::move(stamps.problems));
    append(verification.held, std::move(stamps.held));
    append(verification.origin, std::move(stamps.says));
  }
  verification.ok = verification.problems.empty();
  return verification;
}

}  // namespace brownout::bundle
