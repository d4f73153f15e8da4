// SPDX-License-Identifier: MIT
#include "brownout/events.hpp"
#include "targets.hpp"

namespace brownout::fuzz {

bool fingerprint(std::string_view text) {
  const auto all = events::parse_fingerprint(text);
  const auto some = events::parse_fingerprint(text, 1);
  const auto none = events::parse_fingerprint(text, SIZE_MAX);
  require(all.has_value() == some.has_value() && all.has_value() == none.has_value(), "it depends on where one begins");
  if (!all) {
    require(!all.error().what.empty(), "refused without a reason");
    return false;
  }
  require(all->errors.size() == all->error_events, "errors that are not in the list");
  require(some->error_events == all->error_events, "the list is shorter from its second error");
  require(some->errors.size() == (all->error_events == 0 ? 0 : all->error_events - 1), "more than the first was left out");
  require(none->errors.empty() && none->counters == all->counters, "counters depend on errors");
  require(nlohmann::json::parse(text).is_object(), "it is no JSON object");
  return true;
}

}  // namespace brownout::fuzz
