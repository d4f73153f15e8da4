// SPDX-License-Identifier: MIT
#include "open_metrics.hpp"

#include <fmt/format.h>

#include "brownout/text.hpp"

namespace brownout::bundle {
namespace {

// Within a label's value; visible() leaves no line feed.
std::string escaped(std::string_view text) {
  std::string value;
  for (const char c : visible(text)) {
    if (c == '\\' || c == '"') value += '\\';
    value += c;
  }
  return value;
}

}  // namespace

void OpenMetrics::family(std::string_view name, std::string_view type, std::string_view unit, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# TYPE {} {}\n", name, type);
  if (!unit.empty()) text_ += fmt::format("# UNIT {} {}\n", name, unit);
  text_ += fmt::format("# HELP {} {}\n", name, help);
}

void OpenMetrics::sample(std::string_view suffix, const Labels& labels, double value) {
  line(suffix, labels, fmt::format("{}", value));
}

void OpenMetrics::sample(std::string_view suffix, const Labels& labels, std::uint64_t value) {
  line(suffix, labels, fmt::to_string(value));
}

void OpenMetrics::line(std::string_view suffix, const Labels& labels, std::string_view value) {
  static constexpr std::int64_t kNsPerMs = 1'000'000, kMsPerSecond = 1000;
  std::string list;
  for (const auto& [name, text] : labels)
    list += fmt::format("{}{}=\"{}\"", list.empty() ? "" : ",", name, escaped(text));
  const auto ms = at_ns_ / kNsPerMs;
  text_ += fmt::format("{}{}{} {} {}.{:03}\n", name_, suffix, list.empty() ? "" : "{" + list + "}", value,
                       ms / kMsPerSecond, ms % kMsPerSecond);
}

}  // namespace brownout::bundle
