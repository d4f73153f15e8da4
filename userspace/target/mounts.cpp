// SPDX-License-Identifier: MIT
#include "mounts.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <sstream>

namespace brownout::target {
namespace {

// The kernel writes blank, tab, line end and backslash as \ooo.
std::string unescaped(std::string_view text) {
  std::string plain;
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) &&
                        octal(text[i + 3]);
    if (!escape) {
      plain.push_back(text[i]);
      continue;
    }
    plain.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0')));
    i += 3;
  }
  return plain;
}

// "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG...] - TYPE SOURCE SUPER"
std::optional<Mount> parse_line(const std::string& line) {
  std::istringstream stream{line};
  const std::vector<std::string> fields{std::istream_iterator<std::string>{stream}, {}};
  const auto dash = std::ranges::find(fields, "-");
  if (fields.size() < 6 || dash == fields.end() || std::next(dash) == fields.end()) return std::nullopt;
  return Mount{unescaped(fields[3]), unescaped(fields[4]), *std::next(dash), fields.back()};
}

bool at_or_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto [in_folder, in_path] = std::ranges::mismatch(folder, path);
  return in_folder == folder.end() || (folder == "/" && path.is_absolute());
}

}  // namespace

std::vector<Mount> visible_mounts(std::string_view mountinfo) {
  std::vector<Mount> mounts;
  std::istringstream lines{std::string{mountinfo}};
  for (std::string line; std::getline(lines, line);) {
    auto mount = parse_line(line);
    if (!mount) continue;
    // A parent always stands before its children, so whatever stands at or below this point already is now covered.
    std::erase_if(mounts, [&](const Mount& earlier) { return at_or_below(earlier.point, mount->point); });
    mounts.push_back(*std::move(mount));
  }
  return mounts;
}

}  // namespace brownout::target
