// SPDX-License-Identifier: MIT
#include "error_tracker.hpp"

#include <algorithm>
#include <functional>
#include <limits>

namespace brownout::events {
namespace {

// A file that is old and large when the drill meets it: the body has all, records only of the latest.
constexpr std::uint64_t kMostAtFirst = 10'000;
// Of a whole drill: an app that rewrites its list without end must not fill the host's disk.
constexpr std::uint64_t kMostOfDrill = std::uint64_t{1} << 30;
constexpr std::uint64_t kRecordBytes = 64;  // of an error, beside its own text
constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

std::uint64_t digest_of(const std::string& text) { return std::hash<std::string>{}(text); }

bool fell(const std::optional<std::int64_t>& before, const std::optional<std::int64_t>& now) {
  return before && now && *now < *before;
}

}  // namespace

Result<Fingerprint> ErrorTracker::parse_first(std::string_view text, Snapshot& snapshot) {
  BROWNOUT_ASSIGN(auto counted, parse_fingerprint(text, kNone));
  if (counted.error_events == 0) return counted;
  snapshot.errors_passed_over = counted.error_events - std::min(counted.error_events, kMostAtFirst);
  return parse_fingerprint(text, snapshot.errors_passed_over);
}

bool ErrorTracker::rotated(const Fingerprint& fingerprint) const {
  return fingerprint.error_events < known_ || (known_ > 0 && fingerprint.oldest_error_sha256 != oldest_sha256_);
}

Result<Fingerprint> ErrorTracker::parse_next(std::string_view text, Snapshot& snapshot) {
  BROWNOUT_ASSIGN(auto fingerprint, parse_fingerprint(text, known_));
  snapshot.rewritten = rotated(fingerprint);
  if (snapshot.rewritten && fingerprint.error_events > 0) {
    BROWNOUT_ASSIGN(fingerprint, parse_fingerprint(text, 0));
    std::erase_if(fingerprint.errors, [this](const AppError& error) { return seen_.contains(digest_of(error.raw.dump())); });
  }
  if (fell(api_calls_, fingerprint.api_calls) || fell(error_count_, fingerprint.error_count)) snapshot.rewritten = true;
  return fingerprint;
}

void ErrorTracker::remember(const Fingerprint& fingerprint) {
  met_ = true;
  known_ = fingerprint.error_events;
  oldest_sha256_ = fingerprint.oldest_error_sha256;
  api_calls_ = fingerprint.api_calls;
  error_count_ = fingerprint.error_count;
}

void ErrorTracker::keep(std::vector<AppError>& errors, Snapshot& snapshot) {
  std::size_t kept = 0;
  for (; kept < errors.size(); ++kept) {
    const auto text = errors[kept].raw.dump();
    if (kept_bytes_ + text.size() > kMostOfDrill) break;
    kept_bytes_ += text.size() + kRecordBytes;
    seen_.insert(digest_of(text));
  }
  snapshot.errors_passed_over += errors.size() - kept;
  errors.resize(kept);
}

Result<> ErrorTracker::take(std::string_view text, Snapshot& snapshot) {
  BROWNOUT_ASSIGN(auto fingerprint, met_ ? parse_next(text, snapshot) : parse_first(text, snapshot));
  remember(fingerprint);
  keep(fingerprint.errors, snapshot);
  snapshot.api_calls = fingerprint.api_calls;
  snapshot.orders_sent = fingerprint.orders_sent;
  snapshot.error_count = fingerprint.error_count;
  snapshot.counters = std::move(fingerprint.counters);
  snapshot.error_events = fingerprint.error_events;
  snapshot.new_errors = std::move(fingerprint.errors);
  return {};
}

}  // namespace brownout::events
