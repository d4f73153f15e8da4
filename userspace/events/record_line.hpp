// SPDX-License-Identifier: MIT
// A line of a file of records, read with the strictness of whoever verifies.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "event_line.hpp"
#include "records.hpp"

namespace brownout::events {

inline void append_record(fmt::memory_buffer& into, const auto& record) {
  const auto line = to_line(encode(record));
  into.append(line.data(), line.data() + line.size());
}

inline void append_record(fmt::memory_buffer& into, const brownout_event& event) { append_line(into, event); }

// kFormat, with `place` in front, for what is not a record or not spelled as the recorder spells it.
template <typename Record>
Result<Record> parse_record(std::string_view line, const std::string& place) {
  BROWNOUT_ASSIGN(const auto json, parse_json(line, place));
  Record record{};
  Problem problem;
  decode(json, record, problem);
  if (problem) return fail(ErrorCode::kFormat, fmt::format("{}: {}", place, problem.text()));
  // One spelling for each record: keys that nobody reads, a readable name that contradicts its number or a key given
  // twice cannot tell people another story than the one that is judged.
  fmt::memory_buffer again;
  append_record(again, record);
  if (std::string_view{again.data(), again.size()} != line)
    return fail(ErrorCode::kFormat, fmt::format("{}: not as brownout writes this record", place),
                "The line was changed after it was recorded.");
  return record;
}

// A body is the version that it claims to be.
bool body_fits(const Snapshot& snapshot);

}  // namespace brownout::events
