// SPDX-License-Identifier: MIT
#include "target_mounts.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>

#include <fmt/format.h>

#include "brownout/fd.hpp"

namespace brownout::events {
namespace {

namespace fs = std::filesystem;

// The byte that \ooo at `place` stands for.
std::optional<char> octal_escape(const std::string& text, std::size_t place) {
  if (text[place] != '\\' || place + 3 >= text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = place + 1; i <= place + 3; ++i) {
    if (text[i] < '0' || text[i] > '7') return std::nullopt;
    value = value * 8 + (text[i] - '0');
  }
  return static_cast<char>(value);
}

// mountinfo writes space, tab, line feed and backslash as \ooo.
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto escape = octal_escape(text, i);
    plain += escape.value_or(text[i]);
    if (escape) i += 3;
  }
  return plain;
}

bool is_at_or_below(const std::string& path, const std::string& top) {
  return top == "/" || path == top || path.starts_with(top + "/");
}

Result<int> mount_id(int fd) {
  BROWNOUT_ASSIGN(const auto text, read_file(fmt::format("/proc/self/fdinfo/{}", fd)));
  std::istringstream lines{text};
  std::string key;
  int value = 0;
  while (lines >> key) {
    if (key == "mnt_id:" && lines >> value) return value;
    lines.ignore(text.size() + 1, '\n');
  }
  return fail(ErrorCode::kKernel, "fdinfo does not tell the mount");
}

// Where the directory lies in its file system, whatever it is mounted on.
Result<Mount> place_of(int fd) {
  BROWNOUT_ASSIGN(const int id, mount_id(fd));
  BROWNOUT_ASSIGN(const auto text, read_file("/proc/self/mountinfo"));
  const auto mounts = parse_mountinfo(text);
  const auto mount = std::ranges::find(mounts, id, &Mount::id);
  std::error_code error;
  const auto path = fs::read_symlink(fmt::format("/proc/self/fd/{}", fd), error).string();
  if (mount == mounts.end() || error || !is_at_or_below(path, mount->point))
    return fail(ErrorCode::kKernel, "the mount of " + path + " is not in mountinfo");
  Mount place = *mount;
  const std::string below = place.point == "/" ? path : path.substr(place.point.size());
  place.root = place.root == "/" && !below.empty() ? below : place.root + below;
  return place;
}

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  std::istringstream lines{std::string{text}};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields{line};
    Mount mount;
    int parent = 0;
    if (!(fields >> mount.id >> parent >> mount.device >> mount.root >> mount.point)) continue;
    mount.root = unescaped(mount.root);
    mount.point = unescaped(mount.point);
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

Result<bool> target_sees(int directory_fd, std::int32_t target_pid) {
  std::error_code ours_error, theirs_error;
  const auto ours = fs::read_symlink("/proc/self/ns/mnt", ours_error);
  const auto theirs = fs::read_symlink(fmt::format("/proc/{}/ns/mnt", target_pid), theirs_error);
  if (!ours_error && !theirs_error && ours == theirs) return true;
  BROWNOUT_ASSIGN(const auto place, place_of(directory_fd));
  BROWNOUT_ASSIGN(const auto text, read_file(fmt::format("/proc/{}/mountinfo", target_pid)));
  return std::ranges::any_of(parse_mountinfo(text), [&place](const Mount& mount) {
    return mount.device == place.device && is_at_or_below(place.root, mount.root);
  });
}

}  // namespace brownout::events
