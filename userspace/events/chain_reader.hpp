// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <filesystem>
#include <string_view>

#include "brownout/fd.hpp"
#include "chain_line.hpp"

namespace brownout::events {

// Takes the lines of chain.jsonl in turn and holds each against the one before and against the records.
class ChainReader {
 public:
  explicit ChainReader(std::filesystem::path directory) : directory_(std::move(directory)) {}
  // kFormat, and the line is not taken, when it does not hold.
  Result<> take(std::string_view line, int number);
  // After the last one.
  Result<Chain> finish();

 private:
  Result<> hold(const Segment& segment);

  struct Record {
    UniqueFd fd;
    std::uint64_t covered = 0;
  };
  std::filesystem::path directory_;
  std::array<Record, kChainedFiles.size()> records_;
  Chain chain_;
};

}  // namespace brownout::events
