// SPDX-License-Identifier: MIT
// Owning file descriptor, and whole-file reads and writes on top of it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "brownout/error.hpp"

namespace brownout {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

Result<UniqueFd> open_file(const std::filesystem::path& path, int flags, unsigned mode = 0);
// The whole file; kFormat when it is longer than `limit` bytes.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 30);
// Atomic: a temporary file beside it, synced, renamed over it.
Result<> write_file(const std::filesystem::path& path, std::string_view content);
Result<> write_all(int fd, std::string_view content);
// The names in it: that a file was made, renamed or removed outlives a power cut only after this, whatever was synced of it.
Result<> sync_directory(const std::filesystem::path& directory);

}  // namespace brownout
