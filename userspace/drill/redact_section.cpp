// SPDX-License-Identifier: MIT
#include "scalars.hpp"
#include "sections.hpp"

namespace brownout::drill {

Result<std::vector<std::string>> read_redact(const Cursor& cursor) {
  std::vector<std::string> patterns;
  BROWNOUT_ASSIGN(const auto items, sequence(cursor, 1, kMaxPatterns));
  for (const Cursor& item : items) {
    BROWNOUT_ASSIGN(std::string pattern, read_text(item, kMaxPatternBytes));
    if (const auto good = Redactor::check_pattern(pattern); !good)
      return item.refuse_value("a pattern: " + good.error().what,
                               "a regular expression as RE2 reads it, such as 'account=[0-9]+'");
    patterns.push_back(std::move(pattern));
  }
  return patterns;
}

Redactor redactor_of(const Drill& drill) { return Redactor::make(drill.redact).value_or(Redactor{}); }

}  // namespace brownout::drill
