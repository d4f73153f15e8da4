// SPDX-License-Identifier: MIT
// Which elements of error_events are new in a version of the fingerprint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "brownout/events.hpp"

namespace brownout::events {

// Lists grow at their end; then one pass over what is known and records for the rest. A list that shrank or lost its
// first element (a deque with a limit, an app that began anew) is gone through as a whole, and what was seen before is
// told by its content.
class ErrorTracker {
 public:
  // Fills the snapshot's counters, new_errors and rewritten; kFormat when the text is not a fingerprint.
  Result<> take(std::string_view text, Snapshot& snapshot);

 private:
  Result<Fingerprint> parse_first(std::string_view text, Snapshot& snapshot);
  Result<Fingerprint> parse_next(std::string_view text, Snapshot& snapshot);
  bool rotated(const Fingerprint& fingerprint) const;
  void remember(const Fingerprint& fingerprint);
  // As records; beyond what a drill may have of them they are passed over, and counted.
  void keep(std::vector<AppError>& errors, Snapshot& snapshot);

  bool met_ = false;
  std::uint64_t known_ = 0;
  std::string oldest_sha256_;
  std::uint64_t kept_bytes_ = 0;
  std::optional<std::int64_t> api_calls_, error_count_;
  std::unordered_set<std::uint64_t> seen_; // digests of elements that became records
};

}  // namespace brownout::events
