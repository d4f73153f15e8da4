// SPDX-License-Identifier: MIT
#include <algorithm>

#include <fmt/format.h>

#include "scalars.hpp"
#include "sections.hpp"

namespace brownout::drill {

Result<std::map<std::string, std::string>> read_labels(const Cursor& cursor) {
  std::map<std::string, std::string> labels;
  BROWNOUT_ASSIGN(const auto members, free_members(cursor));
  if (members.size() > kMaxLabels)
    return cursor.refuse(fmt::format("there are {} labels", members.size()), fmt::format("at most {}", kMaxLabels));
  for (const auto& [key, value] : members) {
    BROWNOUT_ASSIGN(const std::string name, read_name(key));
    BROWNOUT_ASSIGN(labels[name], read_text(value, 256));
  }
  return labels;
}

}  // namespace brownout::drill
