// SPDX-License-Identifier: MIT
// One reader for each top-level key of the drill, and the limits that docs/drill.md states.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "brownout/drill.hpp"
#include "cursor.hpp"
#include "jitter_table.hpp"

namespace brownout::drill {

using namespace std::chrono_literals;

inline constexpr Duration kMaxDelay = 60s;
inline constexpr Duration kMinPhase = 1s;
inline constexpr Duration kMaxPhase = 24h;
inline constexpr Duration kMaxSettle = 10min;
inline constexpr Duration kMaxWithin = 1h;
inline constexpr std::int64_t kMaxCount = 1'000'000'000;
inline constexpr std::int64_t kMaxRetries = 1000;
inline constexpr std::int64_t kMaxCap = 1'000'000'000'000'000;
inline constexpr std::int64_t kMaxCapture = 100'000;
inline constexpr Duration kMaxSilence = 1h;
inline constexpr std::size_t kMaxAbortConditions = 16;
inline constexpr std::size_t kMaxGates = 64;
inline constexpr std::size_t kMaxLabels = 64;
inline constexpr std::size_t kMaxPatterns = 16;
inline constexpr std::size_t kMaxPatternBytes = 256;
inline constexpr std::size_t kMaxProtected = 16;
inline constexpr double kMaxCorrelation = 0.9;
inline constexpr std::size_t kMaxListed = 64; // required files, error types, manifest conditions

Result<Target> read_target(const Cursor& cursor);
Result<App> read_app(const Cursor& cursor);
Result<Pressure> read_pressure(const Cursor& cursor);
Result<Phases> read_phases(const Cursor& cursor);
Result<std::set<Allowed>> read_allow(const Cursor& cursor);
// A match of nothing but what is spared would be a fault that never acts.
Result<> refuse_spared(const Cursor& cursor, const Match& match, const std::set<Allowed>& allow);
Result<Fault> read_fault(const Cursor& cursor, TableShelf& tables, const std::set<Allowed>& allow);
Result<Match> read_match(const Cursor& cursor);
Result<Gate> read_gate(const Cursor& cursor);
Result<Caps> read_caps(const Cursor& cursor);
Result<AbortCondition> read_abort_condition(const Cursor& cursor);
Result<std::vector<std::string>> read_redact(const Cursor& cursor);
Result<std::map<std::string, std::string>> read_labels(const Cursor& cursor);

}  // namespace brownout::drill
