// SPDX-License-Identifier: MIT
#include "run_directory_copy.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "archive_writer.hpp"
#include "brownout/bundle.hpp"
#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "document.hpp"
#include "layout.hpp"
#include "redacted_copy.hpp"

namespace brownout::bundle {
namespace {

constexpr std::uint64_t kMostFiles = 20'000;
constexpr std::uint64_t kLargestFile = std::uint64_t{512} << 20;
constexpr std::uint64_t kLargestCopy = std::uint64_t{2} << 30;

class Copier {
 public:
  Copier(int from, std::filesystem::path into, const Redactor& redactor)
      : from_(from), into_(std::move(into)), redactor_(redactor) {}

  Result<> take(const events::FoundFile& file) {
    if (const auto why = reason_not_to(file); !why.empty()) return leave_out(file, why);
    auto source = events::open_beneath(from_, file.path);
    if (!source) return leave_out(file, source.error().render());
    return copy(source->get(), file);
  }
  Result<> leave_out(const events::FoundFile& file, std::string why) {
    copy_.left_out.push_back({file.path, std::move(why), file.size});
    return {};
  }
  RunDirectoryCopy result() { return std::move(copy_); }

 private:
  std::string reason_not_to(const events::FoundFile& file) const {
    if (!file.regular) return file.what;
    if (const auto name = std::string{kRunDirectory} + file.path; !is_safe(name) || !ArchiveWriter::keeps_name(name))
      return "name does not fit into a bundle";
    if (file.size > kLargestFile) return fmt::format("larger than {} bytes", kLargestFile);
    if (copied_ + file.size > kLargestCopy)
      return fmt::format("all copies together would exceed {} bytes", kLargestCopy);
    if (copy_.files.size() >= kMostFiles) return fmt::format("more than {} files", kMostFiles);
    return {};
  }

  // No more than the size it was found with: the app may still be writing.
  Result<> copy(int source, const events::FoundFile& file) {
    const auto target = into_ / file.path;
    std::error_code error;
    std::filesystem::create_directories(target.parent_path(), error);
    if (error) return fail_errno(ErrorCode::kIo, error.value(), "create " + target.parent_path().string());
    BROWNOUT_ASSIGN(const auto fd, open_file(target, O_WRONLY | O_CREAT | O_EXCL, 0600));
    RedactedCopy copy{redactor_, fd.get()};
    std::uint64_t size = 0;
    while (size < file.size) {
      const std::uint64_t wanted = std::min<std::uint64_t>(buffer_.size(), file.size - size);
      const ssize_t got = ::read(source, buffer_.data(), wanted);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return drop(target, file, fmt::format("cannot be read: {}", std::generic_category().message(errno)));
      if (got == 0) break;  // it was cut in the meantime
      size += static_cast<std::uint64_t>(got);
      BROWNOUT_TRY(copy.add({buffer_.data(), static_cast<std::size_t>(got)}));
      if (!copy.why_not().empty()) return drop(target, file, fmt::format("{}{}", kNotRedacted, copy.why_not()));
    }
    BROWNOUT_ASSIGN(auto done, copy.finish());
    copied_ += done.member.size;
    if (!done.redaction.counts.empty()) copy_.redactions.emplace(file.path, std::move(done.redaction));
    copy_.files.emplace(file.path, std::move(done.member));
    return {};
  }

  Result<> drop(const std::filesystem::path& target, const events::FoundFile& file, std::string why) {
    std::error_code error;
    std::filesystem::remove(target, error);
    if (error) return fail_errno(ErrorCode::kIo, error.value(), "remove " + target.string());
    return leave_out(file, std::move(why));
  }

  int from_;
  std::filesystem::path into_;
  const Redactor& redactor_;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{1} << 16);
  std::uint64_t copied_ = 0;
  RunDirectoryCopy copy_;
};

}  // namespace

nlohmann::json to_json(const RunDirectoryCopy& copy) {
  auto files = nlohmann::json::array(), left_out = nlohmann::json::array();
  for (const auto& [path, member] : copy.files) {
    auto& file = files.emplace_back(nlohmann::json{{"path", path}, {"size", member.size}, {"sha256", member.sha256}});
    const auto redaction = copy.redactions.find(path);
    if (redaction == copy.redactions.end()) continue;
    file["original_sha256"] = redaction->second.original_sha256;
    file["redacted"] = redaction->second.counts;
  }
  for (const auto& file : copy.left_out)
    left_out.push_back({{"path", file.path}, {"why", file.why}, {"size", file.size}});
  return {{"files", std::move(files)}, {"left_out", std::move(left_out)}};
}

Result<Members> copied_files(const nlohmann::json& json) {
  Members files;
  try {
    for (const auto& file : json.at("files"))
      files.emplace(file.at("path").get<std::string>(),
                    Member{file.at("size").get<std::uint64_t>(), file.at("sha256").get<std::string>()});
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kFormat, fmt::format("{}: {}", kRunDirectoryCopy, error.what()));
  }
  return files;
}

Result<> copy_run_directory(const events::RunDirectory& directory, const std::filesystem::path& staging,
                            const Redactor& redactor) {
  Copier copier{directory.fd(), staging / kRunDirectory, redactor};
  const auto found = events::walk_beneath(directory.fd());
  // What the app did to its directory is no reason not to seal the rest.
  if (!found) BROWNOUT_TRY(copier.leave_out({.path = "."}, found.error().render()));
  for (const auto& file : found.value_or(std::vector<events::FoundFile>{})) BROWNOUT_TRY(copier.take(file));
  return write_file(staging / kRunDirectoryCopy, document(to_json(copier.result())));
}

}  // namespace brownout::bundle
