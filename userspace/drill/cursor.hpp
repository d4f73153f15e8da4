// SPDX-License-Identifier: MIT
// A value of the drill with its file and the path of keys that leads to it: what a refusal must name.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tree.hpp"

namespace brownout::drill {

struct Cursor {
  std::string_view file;
  std::string path; // "faults[0].latency.delay"
  const Tree* tree = nullptr;

  int line() const { return tree->line; }
  // "FILE:LINE:COLUMN: KEY: PROBLEM"
  std::unexpected<Error> refuse(std::string_view problem, std::string hint = {}) const;
  // "FILE:LINE:COLUMN: KEY: 'VALUE' is not EXPECTED"
  std::unexpected<Error> refuse_value(std::string_view expected, std::string hint = {}) const;
  // The value as the author sees it: its text, or what sort of thing stands there.
  std::string shown() const;
  std::vector<Cursor> items() const;
};

using Keys = std::initializer_list<std::string_view>;

// A mapping whose keys are all known.
class Mapping {
 public:
  static Result<Mapping> open(const Cursor& cursor, Keys known);

  std::optional<Cursor> find(std::string_view key) const;
  // `example` is what the author should write.
  Result<Cursor> need(std::string_view key, std::string_view example) const;
  // The one key of `keys` that is there; none or several are refused.
  Result<Cursor> exactly_one(Keys keys) const;
  const Cursor& cursor() const { return cursor_; }
  bool empty() const { return cursor_.tree->members.empty(); }

 private:
  explicit Mapping(Cursor cursor) : cursor_(std::move(cursor)) {}
  Cursor child(const Member& member) const;
  Cursor cursor_;
};

// Cursors of a mapping with free keys, each value's path ending in its key.
Result<std::vector<std::pair<Cursor, Cursor>>> free_members(const Cursor& cursor);
// A sequence with `least` to `most` items.
Result<std::vector<Cursor>> sequence(const Cursor& cursor, std::size_t least, std::size_t most);

}  // namespace brownout::drill
