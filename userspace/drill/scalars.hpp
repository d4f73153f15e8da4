// SPDX-License-Identifier: MIT
// Single values: each reader says what it takes and within which limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "brownout/drill.hpp"
#include "cursor.hpp"

namespace brownout::drill {

constexpr std::size_t kMaxPathBytes = 4095;  // PATH_MAX without its end

// Text of 1 to `most` bytes on one line; numbers and words are taken as they stand.
Result<std::string> read_text(const Cursor& cursor, std::size_t most);
// [A-Za-z0-9_-]{1,64}
Result<std::string> read_name(const Cursor& cursor);
Result<std::int64_t> read_integer(const Cursor& cursor, std::int64_t least, std::int64_t most);
Result<double> read_number(const Cursor& cursor, double least, double most);
Result<bool> read_bool(const Cursor& cursor);
Result<std::uint64_t> read_seed(const Cursor& cursor);
Result<Duration> read_duration(const Cursor& cursor, Duration least, Duration most);
// Above 0 and up to 1.
Result<double> read_rate(const Cursor& cursor);
// "/a/b", without "..".
Result<std::string> read_absolute_path(const Cursor& cursor);
// "a/b", without "..": it stays inside the run directory.
Result<std::string> read_relative_path(const Cursor& cursor);
// RFC 6901, not empty.
Result<std::string> read_json_pointer(const Cursor& cursor);
// Any value, by the YAML 1.2 core schema.
Result<nlohmann::json> read_json(const Cursor& cursor);

template <typename T>
struct Choice { std::string_view word; T value; };

std::unexpected<Error> refuse_choice(const Cursor& cursor, std::span<const std::string_view> words);

template <typename T, std::size_t N>
Result<T> read_choice(const Cursor& cursor, const Choice<T> (&choices)[N]) {
  std::string_view words[N];
  for (std::size_t i = 0; i < N; ++i) {
    words[i] = choices[i].word;
    if (cursor.tree->kind == Tree::Kind::kScalar && cursor.tree->scalar == choices[i].word) return choices[i].value;
  }
  return refuse_choice(cursor, words);
}

}  // namespace brownout::drill
