// SPDX-License-Identifier: MIT
#include "extract.hpp"

#include <cerrno>
#include <memory>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "brownout/digest.hpp"
#include "brownout/fd.hpp"
#include "decompressed.hpp"
#include "layout.hpp"
#include "utf8_locale.hpp"

namespace brownout::bundle {
namespace {

struct FreeArchive {
  void operator()(archive* a) const { archive_read_free(a); }
};

std::string shown_path(std::string_view path) {
  std::string text;
  for (const char c : path.substr(0, 200)) text += c >= ' ' && c <= '~' ? c : '?';
  return "'" + text + "'";
}

class Extractor {
 public:
  explicit Extractor(std::filesystem::path into) : into_(std::move(into)) {}

  Result<> open(int fd) {
    if (!locale_.usable()) return fail(ErrorCode::kUnsupported, "this system has no locale C.UTF-8");
    if (const auto opened = source_.open(fd); !opened) {
      report(not_whole(opened.error().what));
    } else if (archive_read_support_format_tar(archive_.get()) != ARCHIVE_OK ||
               archive_read_open(archive_.get(), this, nullptr, hand_over, nullptr) != ARCHIVE_OK) {
      report(reason());
    }
    return {};
  }

  // Stops at the first problem: what follows in a hostile archive is of no interest.
  Result<Extraction> run() {
    archive_entry* entry = nullptr;
    while (extraction_.problems.empty()) {
      const int status = archive_read_next_header(archive_.get(), &entry);
      if (status == ARCHIVE_EOF) {
        check_rest();
        break;
      }
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
    return not_whole(why == nullptr ? "unknown error" : why);
  }
  static std::string not_whole(std::string_view why) { return fmt::format("not a whole tar.gz archive: {}", why); }

  static la_ssize_t hand_over(archive* reader, void* extractor, const void** bytes) {
    const auto piece = static_cast<Extractor*>(extractor)->source_.next();
    if (!piece) {
      archive_set_error(reader, EILSEQ, "%s", piece.error().what.c_str());
      return -1;
    }
    *bytes = piece->data();
    return static_cast<la_ssize_t>(piece->size());
  }

  void check_rest() {
    const auto clean = source_.only_zeros_after(static_cast<std::uint64_t>(archive_filter_bytes(archive_.get(), 0)));
    if (!clean) report(not_whole(clean.error().what));
    else if (!*clean) report("something stands behind the end of the archive");
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
    if (const auto size = static_cast<std::uint64_t>(archive_entry_size(entry));
        size > kLargestMember || total_ + size > kLargestBundle)
      return refuse("too large: ", path);
    if (type == AE_IFDIR) return {};  // made as needed; tar adds them when people pack a bundle again
    return take_file(path, archive_entry_size(entry));
  }

  Result<> refuse(const char* what, const std::string& path) {
    report(what + shown_path(path));
    return {};
  }

  bool is_beneath_top(const std::string& path) {
    const std::string top = path.substr(0, path.find('/'));
    if (extraction_.top.empty()) extraction_.top = top;
    return top == extraction_.top;
  }

  Result<> take_file(const std::string& path, la_int64_t size) {
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
    BROWNOUT_TRY(copy_content(fd->get(), path, member->second));
    if (member->second.size != static_cast<std::uint64_t>(size)) return refuse("with holes: ", path);
    return {};
  }

  Result<> copy_content(int fd, const std::string& path, Member& member) {
    Sha256 digest;
    const void* bytes = nullptr;
    std::size_t got = 0;
    la_int64_t offset = 0;
    while (true) {
      const int status = archive_read_data_block(archive_.get(), &bytes, &got, &offset);
      if (status == ARCHIVE_EOF) break;
      if (status != ARCHIVE_OK) {
        report(reason());
        return {};
      }
      // Nothing makes so much out of so little as holes, and no bundle has them.
      if (static_cast<std::uint64_t>(offset) != member.size) return refuse("with holes: ", path);
      member.size += got;
      total_ += got;
      const std::string_view chunk{static_cast<const char*>(bytes), got};
      digest.update(chunk);
      BROWNOUT_TRY(write_all(fd, chunk));
    }
    member.sha256 = digest.finish();
    return {};
  }

  Utf8Locale locale_; // before and after everything of libarchive
  Decompressed source_;
  std::unique_ptr<archive, FreeArchive> archive_{archive_read_new()};
  std::filesystem::path into_;
  Extraction extraction_;
  std::uint64_t count_ = 0, total_ = 0;
};

// O_NONBLOCK: a FIFO of that name must not hang whoever goes through a directory of bundles.
Result<UniqueFd> open_archive(const std::filesystem::path& archive) {
  BROWNOUT_ASSIGN(auto fd, open_file(archive, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail_errno(ErrorCode::kIo, "stat " + archive.string());
  if (!S_ISREG(status.st_mode))
    return fail(ErrorCode::kFormat, archive.string() + " is not a regular file", "A bundle is one file, NAME.tar.gz.");
  return fd;
}

}  // namespace

Result<Extraction> extract(const std::filesystem::path& archive, const std::filesystem::path& into) {
  BROWNOUT_ASSIGN(const auto fd, open_archive(archive));
  Extractor extractor{into};
  BROWNOUT_TRY(extractor.open(fd.get()));
  return extractor.run();
}

}  // namespace brownout::bundle
