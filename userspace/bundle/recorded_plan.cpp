// SPDX-License-Identifier: MIT
#include "recorded_plan.hpp"

#include <charconv>

#include <fmt/format.h>

#include "brownout/events.hpp"
#include "brownout/fd.hpp"
#include "brownout/bundle.hpp"
#include "layout.hpp"

namespace brownout::bundle {

Result<std::uint64_t> recorded_seed(const std::filesystem::path& directory) {
  BROWNOUT_ASSIGN(const auto text, read_file(directory / kPlan, kLargestDocument));
  BROWNOUT_ASSIGN(const auto planned, events::parse_json(text, kPlan));
  const auto seed_text = planned.is_object() && planned.contains("seed") && planned["seed"].is_string()
                             ? planned["seed"].get<std::string>()
                             : std::string{};
  std::uint64_t seed = 0;
  const char* const end = seed_text.data() + seed_text.size();
  if (const auto [stop, error] = std::from_chars(seed_text.data(), end, seed); error != std::errc{} || stop != end)
    return fail(ErrorCode::kFormat, fmt::format("{}: 'seed' must be a number in quotes", kPlan));
  return seed;
}

Result<plan::Plan> recorded_plan(const std::filesystem::path& directory) {
  BROWNOUT_ASSIGN(const auto seed, recorded_seed(directory));
  BROWNOUT_ASSIGN(const auto text, read_file(directory / kDrill, kLargestDocument));
  BROWNOUT_ASSIGN(auto drill, drill::parse(text, kDrill, [&directory](std::size_t index, const std::string&) {
                    return read_file(directory / jitter_table_path(index), kLargestDocument);
                  }));
  return plan::compile(std::move(drill), seed);
}

Result<Redactor> staged_redactor(const std::filesystem::path& staging) {
  BROWNOUT_ASSIGN(const auto plan, recorded_plan(staging));
  return drill::redactor_of(plan.drill);
}

}  // namespace brownout::bundle
