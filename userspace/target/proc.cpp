// SPDX-License-Identifier: MIT
#include "proc.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "brownout/fd.hpp"

namespace brownout::target {
namespace {

namespace fs = std::filesystem;

template <typename T>
std::optional<T> whole_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::unexpected<Error> fail_link(const fs::path& link, const std::error_code& error) {
  if (error == std::errc::permission_denied)
    return fail_errno(ErrorCode::kPermission, error.value(), "read " + link.string(), "run brownout as root");
  return fail_errno(ErrorCode::kNotFound, error.value(), "read " + link.string(), "the process may have ended");
}

}  // namespace

std::vector<std::int32_t> all_pids(const fs::path& proc) {
  std::vector<std::int32_t> pids;
  std::error_code error;
  for (fs::directory_iterator entry{proc, error}, end; !error && entry != end; entry.increment(error))
    if (const auto pid = whole_number<std::int32_t>(entry->path().filename().native())) pids.push_back(*pid);
  std::ranges::sort(pids);
  return pids;
}

Result<std::int32_t> own_pid(const fs::path& proc) {
  std::error_code error;
  const fs::path link = fs::read_symlink(proc / "self", error);
  if (error) return fail_link(proc / "self", error);
  if (const auto pid = whole_number<std::int32_t>(link.filename().native())) return *pid;
  return fail(ErrorCode::kFormat, fmt::format("{}/self leads to {}, which is no pid", proc.string(), link.string()));
}

std::string comm_of(std::int32_t pid, const fs::path& proc) {
  std::string comm = read_file(proc / std::to_string(pid) / "comm").value_or("");
  if (comm.ends_with('\n')) comm.pop_back();
  return comm;
}

std::int32_t parent_of(std::int32_t pid, const fs::path& proc) {
  const std::string stat = read_file(proc / std::to_string(pid) / "stat").value_or("");
  const auto name_ends = stat.rfind(')'); // a name may hold anything: "7 (a) b) S 1 ..."
  if (name_ends == std::string::npos || stat.size() < name_ends + 4) return 0;
  const auto rest = std::string_view{stat}.substr(name_ends + 4);
  return whole_number<std::int32_t>(rest.substr(0, rest.find(' '))).value_or(0);
}

Result<std::uint64_t> netns_of(std::int32_t pid, const fs::path& proc) {
  return namespace_inode(proc / std::to_string(pid) / "ns/net");
}

Result<std::uint64_t> namespace_inode(const fs::path& link) {
  std::error_code error;
  const std::string text = fs::read_symlink(link, error);
  if (error) return fail_link(link, error);
  const auto open = text.find('[');
  if (open != std::string::npos && text.ends_with(']')) {
    const std::string_view digits = std::string_view{text}.substr(open + 1, text.size() - open - 2);
    if (const auto inode = whole_number<std::uint64_t>(digits)) return *inode;
  }
  return fail(ErrorCode::kFormat, fmt::format("{} leads to '{}', which names no namespace", link.string(), text));
}

}  // namespace brownout::target
