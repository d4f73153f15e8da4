// SPDX-License-Identifier: MIT
#include <algorithm>

#include "brownout/drill_redact.hpp"
#include "scalars.hpp"
#include "sections.hpp"
#include "tree.hpp"

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

std::vector<std::string> redact_patterns(const Drill& drill) {
  const auto tree = read_tree(drill.text, {});
  if (!tree) return {};
  const auto found = std::ranges::find(tree->members, "redact", [](const Member& member) { return member.key.scalar; });
  if (found == tree->members.end()) return {};
  return read_redact({{}, "redact", &found->value}).value_or(std::vector<std::string>{});
}

Redactor redactor_of(const Drill& drill) { return Redactor::make(redact_patterns(drill)).value_or(Redactor{}); }

}  // namespace brownout::drill
