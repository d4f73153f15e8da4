// SPDX-License-Identifier: MIT
#include "chain_check.hpp"

#include <fmt/format.h>

#include "layout.hpp"

namespace brownout::bundle {

nlohmann::json describe(const events::Chain& chain) {
  return {{"segments", chain.segments}, {"head", chain.head}, {"uncovered_bytes", chain.uncovered}};
}

std::vector<std::string> chain_problems(const events::Chain& chain, const events::Rules& there,
                                        const events::Evidence& evidence) {
  const bool cut_off = evidence.recovered || evidence.ending == events::Ending::kError;
  std::vector<std::string> problems;
  if (chain.head.empty()) {
    if (!cut_off) problems.push_back(fmt::format("{} is empty", kChain));
    return problems;
  }
  const auto expect = [&problems](std::string_view what, const std::string& is, const std::string& fixed) {
    if (!is.empty() && is != fixed)
      problems.push_back(fmt::format("{} is not what was fixed before the drill: sha256 {}, {} begins with {}", what,
                                     is, kChain, fixed));
  };
  expect(kDrill, there.drill_sha256, chain.rules.drill_sha256);
  expect(kPlan, there.plan_sha256, chain.rules.plan_sha256);
  expect("tool.binary_sha256 of manifest.json", there.tool_sha256, chain.rules.tool_sha256);
  if (!cut_off)
    for (const auto& [file, bytes] : chain.uncovered)
      problems.push_back(
          fmt::format("{} ends before {} does: its last {} bytes are in no segment", kChain, file, bytes));
  return problems;
}

}  // namespace brownout::bundle
