// SPDX-License-Identifier: MIT
// Evidence as files, whether it came as a directory or as an archive.
#pragma once

#include <filesystem>
#include <optional>

#include "private_directory.hpp"

namespace brownout::bundle {

class Opened {
 public:
  // kNotFound: neither; kFormat: an archive from which nothing may be used, with the first reason.
  static Result<Opened> open(const std::filesystem::path& evidence);
  const std::filesystem::path& directory() const { return directory_; }

 private:
  std::optional<PrivateDirectory> unpacked_;
  std::filesystem::path directory_;
};

}  // namespace brownout::bundle
