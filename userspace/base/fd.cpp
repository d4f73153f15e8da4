// SPDX-License-Identifier: MIT
#include "brownout/fd.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace brownout {

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<UniqueFd> open_file(const std::filesystem::path& path, int flags, unsigned mode) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return fail_errno(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "open " + path.string());
  return UniqueFd{fd};
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  BROWNOUT_ASSIGN(const UniqueFd file, open_file(path, O_RDONLY));
  std::string content;
  std::array<char, 1 << 16> buffer{};
  while (true) {
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(ErrorCode::kIo, "read " + path.string());
    if (got == 0) return content;
    if (content.size() + static_cast<std::size_t>(got) > limit)
      return fail(ErrorCode::kFormat, fmt::format("{} is longer than {} bytes", path.string(), limit));
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

Result<> write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(ErrorCode::kIo, "write");
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<> sync_directory(const std::filesystem::path& directory) {
  BROWNOUT_ASSIGN(const auto fd, open_file(directory, O_RDONLY | O_DIRECTORY));
  // EINVAL: a file system that has nothing to sync there.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) return fail_errno(ErrorCode::kIo, "sync " + directory.string());
  return {};
}

Result<> write_file(const std::filesystem::path& path, std::string_view content) {
  std::string temporary = path.string() + ".XXXXXX";
  UniqueFd file{::mkostemp(temporary.data(), O_CLOEXEC)};
  if (!file) return fail_errno(ErrorCode::kIo, "create " + temporary);
  auto written = write_all(file.get(), content);
  if (written && ::fsync(file.get()) != 0)
    written = fail_errno(ErrorCode::kIo, "sync " + temporary);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0)
    written = fail_errno(ErrorCode::kIo, "rename to " + path.string());
  if (!written) {
    ::unlink(temporary.c_str());
    return std::unexpected(std::move(written).error().with_context(path.string()));
  }
  return {};
}

}  // namespace brownout
