// SPDX-License-Identifier: MIT
// RFC 3161: questions to a time-stamp authority, and its answers, DER, as anybody may have made them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "brownout/error.hpp"

namespace brownout::bundle {

inline constexpr std::size_t kLargestTimeStamp = std::size_t{1} << 20;

// Over a sha256, with a number that no other question has; asks for the authority's certificates.
Result<std::string> time_stamp_query(const std::string& sha256);

struct TimeStamp {
  std::string utc;       // "2026-01-02T03:04:05Z"
  std::string authority; // subject of who signed; empty: nobody was held against it
};
// kRefused unless it is granted, and of that digest. With `ca` (PEM) it must be signed by an authority of theirs.
Result<TimeStamp> read_time_stamp(std::string_view answer, const std::string& sha256,
                                  const std::filesystem::path& ca = {});
// Whether that is the answer to this very question.
Result<> answers(std::string_view answer, std::string_view query);

}  // namespace brownout::bundle
