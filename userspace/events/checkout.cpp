// SPDX-License-Identifier: MIT
#include "brownout/checkout.hpp"

#include <optional>
#include <set>
#include <sstream>

#include <fcntl.h>

#include <fmt/format.h>

#include "beneath.hpp"
#include "brownout/capabilities.hpp"
#include "brownout/events.hpp"
#include "brownout/text.hpp"
#include "file_bytes.hpp"
#include "target_mounts.hpp"

namespace brownout::events {
namespace {

constexpr std::size_t kMostCheckouts = 64;
constexpr std::size_t kLargestRef = 4096;
constexpr std::size_t kLargestPackedRefs = std::size_t{4} << 20;
constexpr std::string_view kSymbolic = "ref: ";

bool is_commit(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// What git takes for the name of a ref, and no way out of .git.
bool is_ref(std::string_view name) {
  return name.starts_with("refs/") && !name.contains("..") && !name.contains("//") && !name.ends_with('/') &&
         visible(name) == name && name.find_first_of(" ~^:?*[\\") == std::string_view::npos;
}

Result<std::string> text_of(int directory_fd, const std::string& path, std::size_t limit) {
  BROWNOUT_ASSIGN(const auto fd, open_beneath(directory_fd, path));
  return read_all(fd.get(), limit);
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// "HEX refs/heads/main": the line of that ref.
std::optional<std::string> in_packed_refs(const std::string& text, const std::string& ref) {
  const Unprivileged parsing;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.find(' ');
    if (space != std::string::npos && line.substr(space + 1) == ref && is_commit(line.substr(0, space)))
      return line.substr(0, space);
  }
  return std::nullopt;
}

void parse_head(const std::string& text, Checkout& checkout) {
  const Unprivileged parsing;
  const auto line = first_line(text);
  if (is_commit(line)) checkout.commit = line;
  else if (line.starts_with(kSymbolic) && is_ref(line.substr(kSymbolic.size())))
    checkout.ref = line.substr(kSymbolic.size());
  else checkout.problem = ".git/HEAD names neither a commit nor a ref";
}

void follow_ref(int directory_fd, Checkout& checkout) {
  if (const auto loose = text_of(directory_fd, ".git/" + checkout.ref, kLargestRef)) {
    if (const auto commit = first_line(*loose); is_commit(commit)) checkout.commit = commit;
    else checkout.problem = fmt::format(".git/{} holds no commit", checkout.ref);
    return;
  }
  const auto packed = text_of(directory_fd, ".git/packed-refs", kLargestPackedRefs);
  const auto commit = packed ? in_packed_refs(*packed, checkout.ref) : std::nullopt;
  if (commit) checkout.commit = *commit;
  else checkout.problem = fmt::format("{} is neither in .git nor in its packed-refs", checkout.ref);
}

bool has_git(int directory_fd) { return open_within(directory_fd, ".git", O_PATH).has_value(); }

}  // namespace

Checkout read_checkout(int directory_fd) {
  Checkout checkout;
  const auto head = text_of(directory_fd, ".git/HEAD", kLargestRef);
  if (!head) {
    checkout.problem = "no .git/HEAD that can be read (of a worktree or submodule .git is a file, which is not followed): " +
                       head.error().what;
    return checkout;
  }
  parse_head(*head, checkout);
  if (!checkout.ref.empty()) follow_ref(directory_fd, checkout);
  return checkout;
}

std::vector<Checkout> checkouts_of(std::int32_t pid) {
  std::vector<Checkout> found;
  const auto root = open_file(fmt::format("/proc/{}/root", pid), O_PATH | O_DIRECTORY);
  const auto text = read_file(fmt::format("/proc/{}/mountinfo", pid));
  if (!root || !text) return found;
  std::set<std::string> seen;
  for (const auto& mount : parse_mountinfo(*text)) {
    if (mount.point == "/" || found.size() == kMostCheckouts || !seen.insert(mount.point).second) continue;
    const auto directory = open_in_root(root->get(), mount.point, O_PATH | O_DIRECTORY);
    if (!directory || !has_git(directory->get())) continue;
    auto checkout = read_checkout(directory->get());
    checkout.path = visible(mount.point);
    found.push_back(std::move(checkout));
  }
  return found;
}

}  // namespace brownout::events
