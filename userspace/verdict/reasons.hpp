// SPDX-License-Identifier: MIT
// The table behind name(), meaning(), advice(), example() and rank().
#pragma once

#include "brownout/verdict.hpp"

namespace brownout::verdict {

struct ReasonText {
  Reason reason = Reason::kOk;
  int rank = 0;
  std::string_view name, meaning, advice, example;
};

std::span<const ReasonText> reasons_of_prerequisites();
std::span<const ReasonText> reasons_of_claims();

}  // namespace brownout::verdict
