// SPDX-License-Identifier: MIT
#include "sequences.hpp"

#include <iterator>

namespace brownout::findings {

void Sequences::add(std::uint64_t number) {
  const auto after = runs_.upper_bound(number);
  const auto before = after == runs_.begin() ? runs_.end() : std::prev(after);
  if (before != runs_.end() && number <= before->second) return;
  ++count_;
  const bool continues = before != runs_.end() && before->second + 1 == number;
  const bool leads = after != runs_.end() && after->first == number + 1;
  const auto last = leads ? after->second : number;
  if (leads) runs_.erase(after);
  if (continues) {
    before->second = last;
  } else {
    runs_.emplace(number, last);
  }
}

}  // namespace brownout::findings
