// SPDX-License-Identifier: MIT
#include "listing.hpp"

#include <fmt/format.h>

#include "layout.hpp"

namespace brownout::bundle {
namespace {

constexpr std::size_t kDigestLength = 64;
constexpr std::string_view kSeparator = "  ";

bool is_digest(std::string_view text) {
  return text.size() == kDigestLength && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string render_checksums(const Members& members) {
  std::string text;
  for (const auto& [path, member] : members)
    if (!is_unlisted(path)) text += fmt::format("{}{}{}\n", member.sha256, kSeparator, path);
  return text;
}

std::string render_file_list(const Members& members) {
  std::string text;
  for (const auto& [path, member] : members)
    if (!is_unlisted(path) && path != kFileList)
      text += fmt::format("-rw-r--r-- root root {:>12} {}\n", member.size, path);
  return text;
}

Result<std::map<std::string, std::string>> parse_checksums(std::string_view text) {
  std::map<std::string, std::string> digests;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    const auto digest = line.substr(0, kDigestLength);
    const auto rest = line.substr(digest.size());
    if (end == std::string_view::npos || !is_digest(digest) || !rest.starts_with(kSeparator))
      return fail(ErrorCode::kFormat, fmt::format("{}:{}: not a line of sha256sum", kChecksums, number));
    const std::string path{rest.substr(kSeparator.size())};
    if (!digests.emplace(path, digest).second)
      return fail(ErrorCode::kFormat, fmt::format("{}:{}: listed twice: {}", kChecksums, number, path));
    text.remove_prefix(end + 1);
  }
  return digests;
}

}  // namespace brownout::bundle
