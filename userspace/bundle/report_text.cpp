// SPDX-License-Identifier: MIT
#include "report_text.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/text.hpp"

namespace brownout::bundle {
namespace {

constexpr std::size_t kLongestCell = 240, kLongestProse = 4000;

bool continues_code_point(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::string row_of(const std::vector<std::string>& cells) { return fmt::format("| {} |\n", fmt::join(cells, " | ")); }

std::size_t cut_at(std::string_view text, std::size_t longest) {
  std::size_t length = std::min(text.size(), longest);
  while (length > 0 && length < text.size() && continues_code_point(text[length])) --length;
  return length;
}

std::string escaped(std::string_view text, std::size_t longest) {
  const auto length = cut_at(text, longest);
  std::string clean;
  for (const char c : text.substr(0, length)) {
    if (c == '|' || c == '`' || c == '*' || c == '[' || c == '\\') clean += '\\';
    if (c == '<') clean += "&lt;";
    else if (c == '&') clean += "&amp;";
    else clean += c >= 0 && c < ' ' ? ' ' : c;
  }
  return visible(clean) + (length < text.size() ? " ..." : "");
}

}  // namespace

std::string cell(std::string_view text) { return escaped(text, kLongestCell); }
std::string prose(std::string_view text) { return escaped(text, kLongestProse); }

std::string json_text(const nlohmann::json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::string shown(std::string_view text) {
  const auto length = cut_at(text, kLongestProse);
  return visible(text.substr(0, length)) + (length < text.size() ? " ..." : "");
}

std::string with_names(const std::string& endpoint, const std::vector<std::string>& names) {
  return names.empty() ? endpoint : fmt::format("{} ({})", endpoint, fmt::join(names, ", "));
}

std::string pointers(const std::vector<events::Ref>& refs) {
  static constexpr std::size_t kShown = 3;
  std::string text;
  std::set<std::tuple<std::string_view, int, int>> seen; // lines that several checks point at count once
  for (const auto& [file, start, end, digest] : refs) {
    if (!seen.emplace(file, start, end).second || seen.size() > kShown) continue;
    text += fmt::format("{}{}:{}", seen.size() == 1 ? "" : ", ", file, start);
    if (end > start) text += fmt::format("-{}", end);
  }
  if (seen.size() > kShown) text += fmt::format(" and {} more", seen.size() - kShown);
  return text.empty() ? "no lines" : cell(text);
}

std::string table(const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows) {
  std::string text = row_of(columns) + row_of(std::vector<std::string>(columns.size(), "---"));
  for (const auto& row : rows) text += row_of(row);
  return text;
}

std::string milliseconds(std::int64_t ns) { return fmt::format("{:.1f} ms", static_cast<double>(ns) / 1e6); }

std::string milliseconds(const std::optional<double>& ms) { return ms ? fmt::format("{:.1f} ms", *ms) : "-"; }

}  // namespace brownout::bundle
