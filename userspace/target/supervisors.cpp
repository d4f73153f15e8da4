// SPDX-License-Identifier: MIT
#include "supervisors.hpp"

#include <ranges>

#include <sys/stat.h>

#include <fmt/format.h>

#include "brownout/fd.hpp"
#include "proc.hpp"

namespace brownout::target {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> command_line_of(std::int32_t pid, const fs::path& proc) {
  std::string text = read_file(proc / std::to_string(pid) / "cmdline").value_or("");
  if (text.ends_with('\0')) text.pop_back();
  std::vector<std::string> arguments;
  for (const auto part : std::views::split(text, '\0')) arguments.emplace_back(part.begin(), part.end());
  return arguments;
}

}  // namespace

std::optional<std::string> Supervisor::option(std::string_view short_form, std::string_view long_form) const {
  const auto joined = fmt::format("{}=", long_form);
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i] == "--") break;
    if (arguments[i].starts_with(joined)) return arguments[i].substr(joined.size());
    if ((arguments[i] == short_form || arguments[i] == long_form) && i + 1 < arguments.size()) return arguments[i + 1];
  }
  return std::nullopt;
}

std::vector<Supervisor> supervisors(std::string_view comm, const fs::path& proc) {
  std::vector<Supervisor> found;
  for (const std::int32_t pid : all_pids(proc)) {
    if (comm_of(pid, proc) != comm) continue;
    struct stat status {};
    if (::stat((proc / std::to_string(pid)).c_str(), &status) != 0) continue;
    found.push_back({pid, status.st_uid, command_line_of(pid, proc)});
  }
  return found;
}

std::int32_t first_child_of(std::int32_t pid, const fs::path& proc) {
  for (const std::int32_t other : all_pids(proc))
    if (parent_of(other, proc) == pid) return other;
  return 0;
}

}  // namespace brownout::target
