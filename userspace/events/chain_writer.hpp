// SPDX-License-Identifier: MIT
// Writes chain.jsonl beside the records, a segment at a time. Of one thread at a time.
#pragma once

#include <vector>

#include "chain_line.hpp"
#include "line_file.hpp"

namespace brownout::events {

class ChainWriter {
 public:
  // The first line is on the disk when this returns. `records` are those of kChainedFiles, in that order, with or
  // without its last.
  Result<> open(const std::filesystem::path& directory, const Rules& rules, std::vector<const LineFile*> records);
  // What is written by now is what the next segment reaches to: once it is synced, no line speaks of what is not on
  // disk.
  void mark();
  // What was written since the last segment, if anything was.
  Result<> close_segment();
  int fd() const { return file_.fd(); }

 private:
  Result<> write(const ChainLine& line);

  LineFile file_;
  std::vector<const LineFile*> records_;
  std::array<std::uint64_t, kChainedFiles.size()> covered_{}, marked_{};
  std::uint64_t next_ = 0;
  std::string head_;
};

}  // namespace brownout::events
