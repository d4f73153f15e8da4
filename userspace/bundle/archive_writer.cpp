// SPDX-License-Identifier: MIT
#include "archive_writer.hpp"

#include <cerrno>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "brownout/fd.hpp"
#include "utf8_locale.hpp"

namespace brownout::bundle {
namespace {

struct FreeArchive {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct FreeReader {
  void operator()(archive* a) const { archive_read_free(a); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

class LibarchiveWriter final : public ArchiveWriter {
 public:
  explicit LibarchiveWriter(std::int64_t mtime_s) : mtime_s_(mtime_s) {}

  Result<> open(int fd) {
    if (!locale_.usable()) return fail(ErrorCode::kUnsupported, "this system has no locale C.UTF-8");
    // No time and no name in the gzip header: they would differ between two runs over the same files.
    if (archive_write_add_filter_gzip(archive_.get()) != ARCHIVE_OK ||
        archive_write_set_filter_option(archive_.get(), "gzip", "timestamp", nullptr) != ARCHIVE_OK ||
        archive_write_set_filter_option(archive_.get(), "gzip", "compression-level", "6") != ARCHIVE_OK ||
        archive_write_set_format_pax_restricted(archive_.get()) != ARCHIVE_OK ||
        archive_write_open_fd(archive_.get(), fd) != ARCHIVE_OK)
      return refuse("open the archive");
    return {};
  }

  Result<> add(const std::string& name, const std::filesystem::path& file) override {
    BROWNOUT_ASSIGN(const auto fd, open_file(file, O_RDONLY | O_NOFOLLOW));
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return fail_errno(ErrorCode::kIo, "stat " + file.string());
    const Entry entry{archive_entry_new()};
    archive_entry_set_pathname_utf8(entry.get(), name.c_str());
    archive_entry_set_size(entry.get(), status.st_size);
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_uid(entry.get(), 0);
    archive_entry_set_gid(entry.get(), 0);
    archive_entry_set_uname(entry.get(), "root");
    archive_entry_set_gname(entry.get(), "root");
    archive_entry_set_mtime(entry.get(), mtime_s_, 0);
    if (archive_write_header(archive_.get(), entry.get()) != ARCHIVE_OK) return refuse("add " + name);
    return add_content(fd.get(), name, status.st_size);
  }

  Result<> close() override {
    return archive_write_close(archive_.get()) == ARCHIVE_OK ? Result<>{} : refuse("close the archive");
  }

 private:
  std::unexpected<Error> refuse(const std::string& what) {
    const char* why = archive_error_string(archive_.get());
    return fail(ErrorCode::kIo, what + ": " + (why == nullptr ? "unknown error" : why));
  }

  Result<> add_content(int fd, const std::string& name, off_t size) {
    off_t left = size;
    while (left > 0) {
      const ssize_t got = ::read(fd, buffer_.data(), buffer_.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno(ErrorCode::kIo, "read " + name);
      if (got == 0 || got > left) return fail(ErrorCode::kIo, name + " changed while it was sealed");
      if (archive_write_data(archive_.get(), buffer_.data(), static_cast<std::size_t>(got)) != got)
        return refuse("add " + name);
      left -= got;
    }
    return {};
  }

  Utf8Locale locale_; // before and after everything of libarchive
  std::unique_ptr<archive, FreeArchive> archive_{archive_write_new()};
  std::vector<char> buffer_ = std::vector<char>(std::size_t{1} << 16);
  std::int64_t mtime_s_;
};

}  // namespace

Result<std::unique_ptr<ArchiveWriter>> ArchiveWriter::open(int fd, std::int64_t mtime_s) {
  auto writer = std::make_unique<LibarchiveWriter>(mtime_s);
  BROWNOUT_TRY(writer->open(fd));
  return std::unique_ptr<ArchiveWriter>{std::move(writer)};
}

bool ArchiveWriter::keeps_name(const std::string& name) {
  const Utf8Locale locale;
  std::vector<char> buffer(std::size_t{1} << 16);
  std::size_t used = 0;
  {
    const std::unique_ptr<archive, FreeArchive> writer{archive_write_new()};
    const Entry entry{archive_entry_new()};
    archive_entry_set_pathname_utf8(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_size(entry.get(), 0);
    if (archive_write_set_format_pax_restricted(writer.get()) != ARCHIVE_OK ||
        archive_write_open_memory(writer.get(), buffer.data(), buffer.size(), &used) != ARCHIVE_OK ||
        archive_write_header(writer.get(), entry.get()) != ARCHIVE_OK || archive_write_close(writer.get()) != ARCHIVE_OK)
      return false;
  }
  const std::unique_ptr<archive, FreeReader> reader{archive_read_new()};
  archive_entry* entry = nullptr;
  if (archive_read_support_format_tar(reader.get()) != ARCHIVE_OK ||
      archive_read_open_memory(reader.get(), buffer.data(), used) != ARCHIVE_OK ||
      archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK)
    return false;
  const char* back = archive_entry_pathname_utf8(entry);
  return back != nullptr && name == back;
}

}  // namespace brownout::bundle
