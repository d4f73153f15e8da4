// SPDX-License-Identifier: MIT
#include "decompressed.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "layout.hpp"

namespace brownout::bundle {
namespace {

// Headers, padding and long names of all members.
constexpr std::uint64_t kMostBytes = kLargestBundle + kMostMembers * 8192;

bool is_zeros(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

}  // namespace

void Decompressed::Free::operator()(archive* reader) const { archive_read_free(reader); }

Decompressed::Decompressed() : reader_(archive_read_new()) {}

Result<> Decompressed::reason() const {
  const char* why = archive_error_string(reader_.get());
  return fail(ErrorCode::kFormat, why == nullptr ? "unknown error" : why);
}

Result<> Decompressed::open(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return fail_errno(ErrorCode::kIo, "stat the archive");
  file_size_ = static_cast<std::uint64_t>(status.st_size);
  archive_entry* all = nullptr;
  if (archive_read_support_filter_gzip(reader_.get()) != ARCHIVE_OK ||
      archive_read_support_format_raw(reader_.get()) != ARCHIVE_OK ||
      archive_read_open_fd(reader_.get(), fd, 1 << 16) != ARCHIVE_OK ||
      archive_read_next_header(reader_.get(), &all) != ARCHIVE_OK)
    return reason();
  // libarchive would undo gzip in gzip as well. The last filter is the file itself.
  if (archive_filter_count(reader_.get()) != 2 || archive_filter_code(reader_.get(), 0) != ARCHIVE_FILTER_GZIP)
    return fail(ErrorCode::kFormat, "not gzip, once");
  return {};
}

Result<std::string_view> Decompressed::next() {
  const void* bytes = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  last_ = {};
  const int status = archive_read_data_block(reader_.get(), &bytes, &size, &offset);
  if (status == ARCHIVE_EOF) return last_;
  if (status != ARCHIVE_OK) return std::unexpected(reason().error());
  last_ = {static_cast<const char*>(bytes), size};
  handed_out_ += size;
  if (handed_out_ > kMostBytes) return fail(ErrorCode::kFormat, fmt::format("more than {} bytes", kMostBytes));
  return last_;
}

Result<bool> Decompressed::only_zeros_after(std::uint64_t used) {
  const auto left = handed_out_ - used;
  if (left > last_.size() || !is_zeros(last_.substr(last_.size() - left))) return false;
  while (true) {
    BROWNOUT_ASSIGN(const auto piece, next());
    if (piece.empty()) break;
    if (!is_zeros(piece)) return false;
  }
  return static_cast<std::uint64_t>(archive_filter_bytes(reader_.get(), -1)) == file_size_;
}

}  // namespace brownout::bundle
