// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "actions.hpp"
#include "archive_writer.hpp"
#include "brownout/bundle.hpp"
#include "brownout/chain.hpp"
#include "brownout/clock.hpp"
#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "chain_check.hpp"
#include "document.hpp"
#include "evidence_summary.hpp"
#include "host_summary.hpp"
#include "html_page.hpp"
#include "layout.hpp"
#include "listing.hpp"
#include "package_report.hpp"
#include "redactions.hpp"
#include "schemas.hpp"
#include "shards.hpp"
#include "time_series.hpp"

namespace brownout::bundle {
namespace {

std::string plain(const std::string& text) {
  static constexpr std::size_t kLongest = 100;
  std::string name = text.substr(0, kLongest);
  for (char& c : name)
    if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.')) c = '_';
  return name;
}

Result<Members> list_staged(const std::filesystem::path& staging) {
  BROWNOUT_ASSIGN(const auto fd, open_file(staging, O_RDONLY | O_DIRECTORY));
  BROWNOUT_ASSIGN(const auto found, events::walk_beneath(fd.get()));
  Members members;
  std::uint64_t total = 0;
  for (const auto& file : found) {
    if (!file.regular || !is_safe(file.path) || !is_known(file.path))
      return fail(ErrorCode::kRefused, fmt::format("{} has no place in a bundle {}", file.path, file.what));
    total += file.size;
    if (file.size > kLargestMember || total > kLargestBundle || members.size() >= kMostMembers)
      return fail(ErrorCode::kRefused, fmt::format("the evidence is too large for a bundle, at {}", file.path));
    BROWNOUT_ASSIGN(auto digest, sha256_file(staging / file.path));
    members.emplace(file.path, Member{file.size, std::move(digest)});
  }
  return members;
}

Result<> write_member(const std::filesystem::path& staging, std::string_view path, const std::string& text,
                      Members& members) {
  BROWNOUT_TRY(write_file(staging / path, text));
  members[std::string{path}] = {text.size(), sha256(text)};
  return {};
}

// Judged by rules that somebody else put there, evidence is no original.
Result<events::Chain> chain_of(const std::filesystem::path& staging, const events::Evidence& evidence) {
  BROWNOUT_ASSIGN(auto chain, events::read_chain(staging));
  BROWNOUT_ASSIGN(const auto drill, sha256_file(staging / kDrill));
  BROWNOUT_ASSIGN(const auto plan, sha256_file(staging / kPlan));
  const auto problems = chain_problems(chain, {.drill_sha256 = drill, .plan_sha256 = plan}, evidence);
  if (!problems.empty())
    return fail(ErrorCode::kRefused, problems.front(),
                "The evidence was changed after it was recorded, or the disk was full at the end of the drill.");
  return chain;
}

struct Complete {
  Members members;
  std::string chain_head;
};

Result<> write_schemas(const std::filesystem::path& staging) {
  for (const auto& schema : schemas()) {
    std::error_code error;
    std::filesystem::create_directories((staging / schema.path).parent_path(), error);
    if (error) return fail_errno(ErrorCode::kIo, error.value(), fmt::format("create the folder of {}", schema.path));
    BROWNOUT_TRY(write_file(staging / schema.path, schema.text));
  }
  return {};
}

// Everything that follows from what is staged, in the order in which one rests on the other.
Result<Complete> complete(const std::filesystem::path& staging, nlohmann::json manifest, const plan::Plan& plan,
                         const verdict::Verdict& verdict) {
  std::error_code error;
  for (const auto path : kStaged)
    if (!std::filesystem::exists(staging / path, error))
      return fail(ErrorCode::kNotFound, fmt::format("the evidence lacks {}", path));
  BROWNOUT_ASSIGN(const auto reading, findings::read(plan, staging));
  const auto& [evidence, findings] = reading;
  manifest.update(summarise(evidence, findings));
  BROWNOUT_ASSIGN(const auto chain, chain_of(staging, evidence));
  manifest["chain"] = describe(chain);
  BROWNOUT_ASSIGN(const auto shards, check_shards(plan, staging));
  if (!shards.at("indexes").empty()) BROWNOUT_TRY(write_file(staging / kShards, document(shards)));
  BROWNOUT_ASSIGN(const auto of_host, summarise_host(plan, evidence, staging, shards));
  manifest.update(of_host);
  BROWNOUT_TRY(write_file(staging / kActions, render_actions(evidence)));
  BROWNOUT_TRY(write_file(staging / kManifest, document(manifest)));
  BROWNOUT_TRY(write_file(staging / kVerdict, document(verdict::to_json(verdict))));
  // As whoever verifies will do it: from the manifest as it can be read back.
  BROWNOUT_ASSIGN(const auto written, events::parse_json(document(manifest), kManifest));
  BROWNOUT_TRY(write_file(staging / kReport, render_report(plan, evidence, findings, verdict, written)));
  BROWNOUT_TRY(write_file(staging / kReportHtml, render_html({plan, evidence, findings, verdict, written})));
  BROWNOUT_TRY(write_file(staging / kTimeSeries, render_time_series(plan, evidence, findings)));
  BROWNOUT_TRY(write_schemas(staging));
  BROWNOUT_ASSIGN(const auto redactions, render_redactions(staging, drill::redactor_of(plan.drill)));
  BROWNOUT_TRY(write_file(staging / kRedactions, redactions));
  BROWNOUT_ASSIGN(auto members, list_staged(staging));
  BROWNOUT_TRY(write_member(staging, kFileList, render_file_list(members), members));
  BROWNOUT_TRY(write_member(staging, kChecksums, render_checksums(members), members));
  return Complete{std::move(members), chain.head};
}

// An archive in the making, mode 0600: the app's own files are in it, and who may read those is not ours to widen. Without a
// name where the file system can do that, so that a process that is killed leaves no half an archive.
class TemporaryFile {
 public:
  static Result<TemporaryFile> make(const std::filesystem::path& directory, const std::string& name) {
    TemporaryFile file;
    file.fd_ = UniqueFd{::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
    if (file.fd_) return file;
    std::string path = (directory / ("." + name + ".XXXXXX")).string();
    file.fd_ = UniqueFd{::mkostemp(path.data(), O_CLOEXEC)};
    if (!file.fd_) return fail_errno(ErrorCode::kIo, "create " + path);
    file.path_ = path;
    return file;
  }
  TemporaryFile(TemporaryFile&& other) noexcept
      : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})) {}
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  int fd() const { return fd_.get(); }
  // To read it by.
  std::filesystem::path path() const { return path_.empty() ? fmt::format("/proc/self/fd/{}", fd_.get()) : path_; }
  // Under its own name at last; never over a bundle that is there already.
  Result<> become(const std::filesystem::path& name) {
    if (path_.empty()) {
      if (::linkat(AT_FDCWD, path().c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) return {};
      return fail_errno(ErrorCode::kIo, "name the archive " + name.string());
    }
    int renamed = ::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE);
    if (renamed != 0 && (errno == EINVAL || errno == ENOSYS) && ::access(name.c_str(), F_OK) != 0)
      renamed = ::rename(path_.c_str(), name.c_str());
    if (renamed != 0) return fail_errno(ErrorCode::kIo, "rename to " + name.string());
    path_.clear();
    return {};
  }

 private:
  TemporaryFile() = default;
  UniqueFd fd_;
  std::string path_;  // empty: it has no name yet
};

Result<> publish_beside(const Sealed& sealed, const std::string& report, const std::filesystem::path& directory) {
  const auto digest = sealed.archive.string() + ".sha256";
  BROWNOUT_TRY(write_file(digest, fmt::format("{}  {}\n", sealed.sha256, sealed.archive.filename().string())));
  auto published = write_file(package_report_path(sealed.archive), report);
  if (published) published = sync_directory(directory);
  if (!published)
    for (const auto& path : {digest, package_report_path(sealed.archive).string()}) ::unlink(path.c_str());
  return published;
}

// Archive, digest and report, or none: evidence that counts as unsealed shall not lie beside a bundle of its own.
Result<> publish(TemporaryFile& file, const Sealed& sealed, const std::string& report,
                 const std::filesystem::path& directory) {
  BROWNOUT_TRY(file.become(sealed.archive));
  auto published = publish_beside(sealed, report, directory);
  if (!published) ::unlink(sealed.archive.c_str());
  return published;
}

// Those that the signer wrote. Nothing of a signature that failed half-way is left.
Result<Members> sign(const Signer& signer, const std::filesystem::path& staging) {
  Members made;
  const auto done = signer.sign(staging);
  for (const auto path : {kSignature, kAttestation}) {
    std::error_code error;
    if (!done) std::filesystem::remove(staging / path, error);
    if (std::filesystem::exists(staging / path, error)) made.emplace(path, Member{});
  }
  if (!done) return std::unexpected(done.error());
  return made;
}

// Of the list of digests, beside it.
Result<> stamp(const TimestampAuthority& authority, const std::filesystem::path& staging) {
  BROWNOUT_ASSIGN(const auto digest, sha256_file(staging / kChecksums));
  BROWNOUT_ASSIGN(const auto answer, authority.stamp(digest));
  return write_file(staging / kTimestamp, answer);
}

// A drill is not lost for its signature or its time stamp: it is sealed without, and says why.
Result<Members> complete_and_vouch(const std::filesystem::path& staging, nlohmann::json manifest, const plan::Plan& plan,
                                   const verdict::Verdict& verdict, const Signer* signer,
                                   const TimestampAuthority* authority, Sealed& sealed) {
  manifest["signing"] = signer != nullptr ? signer->describe() : nlohmann::json();
  manifest.erase("timestamp");  // of an attempt that came to nothing
  if (authority != nullptr) manifest["timestamp"] = {{"url", authority->url()}, {"failed", nullptr}};
  for (;;) {
    BROWNOUT_ASSIGN(auto whole, complete(staging, manifest, plan, verdict));
    sealed.chain_head = whole.chain_head;
    // First what fails more often: a security key wants a finger for each signature.
    if (authority != nullptr) {
      if (const auto stamped = stamp(*authority, staging); !stamped) {
        sealed.not_stamped_because = stamped.error().render();
        manifest["timestamp"]["failed"] = sealed.not_stamped_because;
        authority = nullptr;
        continue;
      }
      whole.members.emplace(kTimestamp, Member{});
    }
    if (signer == nullptr) return whole.members;
    if (auto made = sign(*signer, staging)) {
      whole.members.merge(*made);
      sealed.signed_by = signer->key_name();
      return whole.members;
    } else {
      sealed.not_signed_because = made.error().render();
      manifest["signing"] = {{"failed", sealed.not_signed_because}};
      signer = nullptr;
    }
    // Of the list as it was.
    std::error_code error;
    std::filesystem::remove(staging / kTimestamp, error);
  }
}

Result<> pack(int fd, const std::filesystem::path& staging, const std::string& name, const Members& members,
              std::int64_t realtime_ns) {
  BROWNOUT_ASSIGN(const auto writer, ArchiveWriter::open(fd, realtime_ns / kNsPerSecond));
  for (const auto& [path, member] : members) BROWNOUT_TRY(writer->add(name + "/" + path, staging / path));
  BROWNOUT_TRY(writer->close());
  if (::fsync(fd) != 0) return fail_errno(ErrorCode::kIo, "sync the archive");
  return {};
}

}  // namespace

std::string bundle_name(const std::string& run_id, const std::string& drill_name, std::int64_t realtime_ns) {
  return fmt::format("IEB_{}_{}_{}", plain(run_id), plain(drill_name), format_utc_compact(realtime_ns));
}

Result<Sealed> seal(const std::filesystem::path& staging, const std::filesystem::path& out_directory,
                    const std::string& name, const Manifest& manifest, const plan::Plan& plan,
                    const verdict::Verdict& verdict, std::int64_t realtime_ns, const Signer* signer,
                    const TimestampAuthority* authority) {
  if (!is_safe(name) || name.contains('/'))
    return fail(ErrorCode::kRefused, "'" + name + "' cannot be a bundle's name");
  auto json = manifest.json;
  json["bundle_format"] = kFormat;
  json["bundle"] = name;
  json["sealed_utc"] = format_utc(realtime_ns);
  Sealed sealed{.archive = out_directory / (name + ".tar.gz")};
  BROWNOUT_ASSIGN(const auto members, complete_and_vouch(staging, std::move(json), plan, verdict, signer, authority, sealed));

  BROWNOUT_ASSIGN(auto file, TemporaryFile::make(out_directory, name));
  BROWNOUT_TRY(pack(file.fd(), staging, name, members, realtime_ns));
  BROWNOUT_ASSIGN(sealed.sha256, sha256_file(file.path()));
  std::error_code error;
  sealed.size = std::filesystem::file_size(file.path(), error);
  BROWNOUT_ASSIGN(const auto text, read_file(staging / kManifest, kLargestDocument));
  BROWNOUT_ASSIGN(const auto written, events::parse_json(text, kManifest));
  BROWNOUT_TRY(publish(file, sealed, render_package_report(sealed, written, verdict), out_directory));
  return sealed;
}

}  // namespace brownout::bundle
