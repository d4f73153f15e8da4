// SPDX-License-Identifier: MIT
// Table files of netem's: whole numbers between white space, `#` to the end of the line for people.
#pragma once

#include <string_view>
#include <vector>

#include "brownout/drill.hpp"
#include "cursor.hpp"

namespace brownout::drill {

inline constexpr std::size_t kMaxTableBytes = std::size_t{256} << 10;

// What is wrong with the text, and where in it: "FILE:LINE:COLUMN: ...".
Result<std::vector<std::int16_t>> parse_table(std::string_view text, std::string_view file);

// The tables of one drill, each read once.
class TableShelf {
 public:
  explicit TableShelf(const ReadTable& read) : read_(read) {}
  // The index of the table that the cursor names.
  Result<std::size_t> find(const Cursor& cursor);
  std::vector<TableFile> take() { return std::move(tables_); }

 private:
  const ReadTable& read_;
  std::vector<TableFile> tables_;
};

}  // namespace brownout::drill
