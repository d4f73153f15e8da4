// SPDX-License-Identifier: MIT
// One file of records. Whole lines are kept back and written together; after a write that failed half-way (a full
// disk) the file is cut back to the last whole line, and what was kept back is tried again at the next flush.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "brownout/fd.hpp"

namespace brownout::events {

class LineFile {
 public:
  Result<> open(const std::filesystem::path& path);
  int fd() const { return file_.get(); }
  // Whole lines, from any thread: what is there can be read.
  const std::atomic<off_t>& written() const { return written_; }

  Result<> append(std::string_view line);
  Result<> flush();

 private:
  std::filesystem::path path_;
  UniqueFd file_;
  std::string pending_;
  std::atomic<off_t> written_ = 0;
};

}  // namespace brownout::events
