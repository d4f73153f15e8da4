// SPDX-License-Identifier: MIT
// tar + gzip, the same bytes for the same input.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "brownout/error.hpp"

namespace brownout::bundle {

class ArchiveWriter {
 public:
  // Writes to an open descriptor, which stays the caller's.
  static Result<std::unique_ptr<ArchiveWriter>> open(int fd, std::int64_t mtime_s);
  // Readers bring names into Unicode's composed form: one in another form would come back as another file's.
  static bool keeps_name(const std::string& name);
  virtual ~ArchiveWriter() = default;
  virtual Result<> add(const std::string& name, const std::filesystem::path& file) = 0;
  virtual Result<> close() = 0;
};

}  // namespace brownout::bundle
