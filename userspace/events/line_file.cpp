// SPDX-License-Identifier: MIT
#include "line_file.hpp"

#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace brownout::events {
namespace {

constexpr std::size_t kFlushAt = std::size_t{256} << 10;

}  // namespace

Result<> LineFile::open(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) return fail_errno(ErrorCode::kIo, error.value(), "create " + path.parent_path().string());
  path_ = path;
  // O_EXCL: evidence of an earlier drill is never continued.
  BROWNOUT_ASSIGN(file_, open_file(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600));
  return {};
}

Result<> LineFile::append(std::string_view line) {
  pending_ += line;
  return pending_.size() < kFlushAt ? Result<>{} : flush();
}

Result<> LineFile::flush() {
  if (pending_.empty()) return {};
  if (auto written = write_all(file_.get(), pending_); !written) {
    if (::ftruncate(file_.get(), written_) != 0)
      return std::unexpected(std::move(written).error().with_context(path_.string() + " may end in half a line"));
    return std::unexpected(std::move(written).error().with_context(path_.string()));
  }
  written_ += static_cast<off_t>(pending_.size());
  pending_.clear();
  return {};
}

}  // namespace brownout::events
