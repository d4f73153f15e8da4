// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include "brownout/error.hpp"

namespace brownout::bundle {

// Mode 0700, gone with the object.
class PrivateDirectory {
 public:
  static Result<PrivateDirectory> make() {
    std::error_code error;
    const auto parent = std::filesystem::temp_directory_path(error);
    if (error) return fail_errno(ErrorCode::kIo, error.value(), "find the directory for temporary files");
    std::string path = (parent / "brownout-verify-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) return fail_errno(ErrorCode::kIo, "create " + path);
    return PrivateDirectory{path};
  }
  PrivateDirectory(PrivateDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PrivateDirectory& operator=(PrivateDirectory&&) = delete;
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;
  ~PrivateDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit PrivateDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace brownout::bundle
