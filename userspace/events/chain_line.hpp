// SPDX-License-Identifier: MIT
// A line of chain.jsonl, and the bytes that it speaks of.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "brownout/chain.hpp"
#include "records.hpp"

namespace brownout::events {

// The last is not always there.
inline constexpr std::array kChainedFiles{kTimelineFile, kKernelEventsFile, kCountersFile, kNamesFile,
                                          kLatencyFile,  kSnapshotsFile,    kPacketsFile};

struct Segment {
  std::string file;
  std::uint64_t from = 0, to = 0;  // bytes; `to` is the first that is not in it
  std::string sha256;
};

struct ChainLine {
  std::uint64_t segment = 0;
  std::int64_t t_mono_ns = 0;  // when it was closed
  std::string previous;        // digest of the line before; empty for the first
  Rules rules;                 // of the first
  std::vector<Segment> files;  // of the others: those that grew
};

OrderedJson encode(const ChainLine& line);
void decode(const Json& record, ChainLine& into, Problem& problem);

// kFormat when the file ends before that.
Result<std::string> digest_of_range(int fd, std::uint64_t from, std::uint64_t to);

}  // namespace brownout::events
