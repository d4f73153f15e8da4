// SPDX-License-Identifier: MIT
#include "extract.hpp"

#include <memory>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "layout.hpp"
#include "utf8_locale.hpp"

namespace brownout::bundle {
namespace {

struct FreeArchive {
  void operator()(archive* a) const { archive_read_free(a); }
};

std::string shown(std::string_view path) {
  std::string text;
  for (const char c : path.substr(0, 200)) text += c >= ' ' && c <= '~' ? c : '?';
  return "'" + text + "'";
}

class Extractor {
 public:
  explicit Extractor(std::filesystem::path into) : into_(std::move(into)) {}

  Result<> open(int fd) {
    if (!locale_.usable()) return fail(ErrorCode::kUnsupported, "this system has no locale C.UTF-8");
    if (archive_read_support_filter_gzip(archive_.get()) != ARCHIVE_OK ||
        archive_read_support_format_tar(archive_.get()) != ARCHIVE_OK)
      return fail(ErrorCode::kUnsupported, "libarchive without gzip or tar");
    if (archive_read_open_fd(archive_.get(), fd, 1 << 16) != ARCHIVE_OK) report(reason());
    return {};
  }

  // Stops at the first problem: what follows in a hostile archive is of no interest.
  Result<Extraction> run() {
    archive_entry* entry = nullptr;
    while (extraction_.problems.empty()) {
      const int status = archive_read_next_header(archive_.get(), &entry);
      if (status == ARCHIVE_EOF) break;
      if (status != ARCHIVE_OK) {
        report(reason());
        break;
      }
      BROWNOUT_TRY(take(entry));
    }
    if (extraction_.members.empty()) report("no files in the archive");
    return std::move(extraction_);
  }

 private:
  void report(std::string problem) {
    if (extraction_.problems.empty()) extraction_.problems.push_back(std::move(problem));
  }

  std::string reason() const {
    const char* why = archive_error_string(archive_.get());
    return fmt::format("not a whole tar.gz archive: {}", why == nullptr ? "unknown error" : why);
  }

  Result<> take(archive_entry* entry) {
    const char* name = archive_entry_pathname_utf8(entry);
    std::string path = name == nullptr ? "" : name;
    const auto type = archive_entry_filetype(entry);
    const bool link = archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr;
    if (type == AE_IFDIR && path.ends_with('/')) path.pop_back();
    if (!is_safe(path)) return refuse("a member's path is absolute, climbing or unclean: ", path);
    if (link || (type != AE_IFREG && type != AE_IFDIR)) return refuse("neither a file nor a directory: ", path);
    if (!is_beneath_top(path)) return refuse("outside of the bundle's directory: ", path);
    if (++count_ > kMostMembers) return refuse("too many members, from ", path);
    if (type == AE_IFDIR) return {};  // made as needed; tar adds them when people pack a bundle again
    return take_file(path);
  }

  Result<> refuse(const char* what, const std::string& path) {
    report(what + shown(path));
    return {};
  }

  bool is_beneath_top(const std::string& path) {
    const std::string top = path.substr(0, path.find('/'));
    if (extraction_.top.empty()) extraction_.top = top;
    return top == extraction_.top;
  }

  Result<> take_file(const std::string& path) {
    const auto slash = path.find('/');
    if (slash == std::string::npos) return refuse("a file beside the bundle's directory: ", path);
    const auto [member, added] = extraction_.members.try_emplace(path.substr(slash + 1));
    if (!added) return refuse("twice in the archive: ", path);
    const auto file = into_ / path;
    std::error_code error;
    std::filesystem::create_directories(file.parent_path(), error);
    if (error) return refuse("beneath a file: ", path);
    auto fd = open_file(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (!fd && fd.error().errno_value == EEXIST) return refuse("in place of a directory: ", path);
    if (!fd) return std::unexpected(std::move(fd).error());
    return copy_content(fd->get(), path, member->second);
  }

  Result<> copy_content(int fd, const std::string& path, Member& member) {
    Sha256 digest;
    while (true) {
      const auto got = archive_read_data(archive_.get(), buffer_.data(), buffer_.size());
      if (got < 0) {
        report(reason());
        return {};
      }
      if (got == 0) break;
      member.size += static_cast<std::uint64_t>(got);
      total_ += static_cast<std::uint64_t>(got);
      if (member.size > kLargestMember || total_ > kLargestBundle) return refuse("too large, at ", path);
      const std::string_view chunk{buffer_.data(), static_cast<std::size_t>(got)};
      digest.update(chunk);
      BROWNOUT_TRY(write_all(fd, chunk));
    }
    member.sha256 = digest.finish();
    return {};
  }

  Utf8Locale locale_; // before and after everything of libarchive
  std::unique_ptr<archive, FreeArchive> archive_{archive_read_new()};
  std::filesystem::path into_;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{1} << 16);
  Extraction extraction_;
  std::uint64_t count_ = 0, total_ = 0;
};

}  // namespace

Result<Extraction> extract(const std::filesystem::path& archive, const std::filesystem::path& into) {
  BROWNOUT_ASSIGN(const auto fd, open_file(archive, O_RDONLY));
  Extractor extractor{into};
  BROWNOUT_TRY(extractor.open(fd.get()));
  return extractor.run();
}

}  // namespace brownout::bundle
