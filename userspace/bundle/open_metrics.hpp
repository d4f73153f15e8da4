// SPDX-License-Identifier: MIT
// OpenMetrics 1.0 text: families one after another, each with type, unit and help.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brownout::bundle {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

class OpenMetrics {
 public:
  // Of every sample; nanoseconds since 1970.
  explicit OpenMetrics(std::int64_t at_ns) : at_ns_(at_ns) {}
  // `unit`: empty, or what the name ends with.
  void family(std::string_view name, std::string_view type, std::string_view unit, std::string_view help);
  // Of the family that was begun last; `suffix`: "_total", "_info", "_count" or nothing.
  void sample(std::string_view suffix, const Labels& labels, double value);
  void sample(std::string_view suffix, const Labels& labels, std::uint64_t value);
  std::string end() { return std::move(text_) + "# EOF\n"; }

 private:
  void line(std::string_view suffix, const Labels& labels, std::string_view value);
  std::int64_t at_ns_;
  std::string name_, text_;
};

}  // namespace brownout::bundle
