// SPDX-License-Identifier: MIT
#include "brownout/drill.hpp"

#include <algorithm>
#include <cctype>

#include "brownout/plan.hpp"
#include "targets.hpp"

namespace brownout::fuzz {
namespace {

constexpr std::string_view kFile = "fuzz.yaml";

// "fuzz.yaml:3:14: ..."
bool names_a_place(std::string_view what) {
  if (!what.starts_with(kFile)) return false;
  what.remove_prefix(kFile.size());
  for (int part = 0; part < 2; ++part) {
    const auto digits = static_cast<std::size_t>(
        std::ranges::find_if_not(what.substr(std::min<std::size_t>(1, what.size())), [](unsigned char c) {
          return std::isdigit(c) != 0;
        }) - what.substr(std::min<std::size_t>(1, what.size())).begin());
    if (!what.starts_with(':') || digits == 0 || what[1] == '0') return false;
    what.remove_prefix(1 + digits);
  }
  return what.starts_with(": ") && what.size() > 2;
}

}  // namespace

bool drill(std::string_view text) {
  const auto drill = drill::parse(std::string{text}, std::string{kFile});
  if (!drill) {
    require(drill.error().code == ErrorCode::kInvalidDrill, "another error: " + drill.error().render());
    require(names_a_place(drill.error().what), "no place: " + drill.error().what);
    require(!drill.error().hint.empty(), "no advice: " + drill.error().what);
    return false;
  }
  require(!drill->faults.empty() && !drill->name.empty(), "half a drill");
  require(drill->text == text, "another text");
  const auto plan = plan::compile(*drill, 7);
  require(plan || !plan.error().what.empty(), "a plan is refused without a reason");
  if (plan) require(plan::to_json(*plan).is_object(), "no plan");
  return true;
}

}  // namespace brownout::fuzz
