// SPDX-License-Identifier: MIT
#include "run_glob.hpp"

#include <filesystem>
#include <memory>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fmt/format.h>

#include "beneath.hpp"

namespace brownout::events {
namespace {

// Each look goes through all of them, in the drill's loop.
constexpr std::size_t kMostNames = 100'000;  // in the directories of the pattern
constexpr std::size_t kMostMatches = 20'000;

bool has_wildcard(const std::string& part) { return part.find_first_of("*?[") != std::string::npos; }

std::string joined(const std::string& directory, const std::string& name) {
  return directory == "/" ? "/" + name : directory + "/" + name;
}

class Expansion {
 public:
  Expansion(int root_fd, const std::string& pattern) : root_fd_(root_fd), pattern_(pattern) {}

  Result<std::vector<std::string>> run() {
    std::vector<std::string> paths{"/"};
    for (const auto& part : std::filesystem::path{pattern_}.relative_path()) {
      if (part.empty()) continue;  // a slash at the end
      std::vector<std::string> longer;
      for (const auto& path : paths) {
        if (has_wildcard(part)) {
          BROWNOUT_TRY(add_matches(path, part, longer));
        } else {
          longer.push_back(joined(path, part));
        }
      }
      paths = std::move(longer);
    }
    return paths;
  }

 private:
  // None when the directory cannot be read: then it has no match for us.
  Result<> add_matches(const std::string& directory, const std::string& part, std::vector<std::string>& into) {
    auto fd = open_in_root(root_fd_, directory, O_RDONLY | O_DIRECTORY);
    if (!fd) return {};
    const std::unique_ptr<DIR, int (*)(DIR*)> open{::fdopendir(fd->get()), ::closedir};
    if (!open) return {};
    fd->release();
    while (const dirent* next = ::readdir(open.get())) {
      const bool matches = ::fnmatch(part.c_str(), next->d_name, FNM_PERIOD) == 0;
      if (++names_ > kMostNames || (matches && into.size() >= kMostMatches))
        return fail(ErrorCode::kRefused,
                    fmt::format("app.run_dir '{}': more than {} matches, or {} names to look through", pattern_,
                                kMostMatches, kMostNames),
                    "Name a directory that has only runs in it, or move old ones away.");
      if (matches) into.push_back(joined(directory, next->d_name));
    }
    return {};
  }

  int root_fd_;
  const std::string& pattern_;
  std::size_t names_ = 0;
};

std::int64_t to_ns(const statx_timestamp& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

std::optional<Candidate> examine(int root_fd, const std::string& path) {
  // The last name is not followed: a link "latest" is not a run.
  auto directory = open_in_root(root_fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!directory) return std::nullopt;
  struct statx status {};
  if (::statx(directory->get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) return std::nullopt;
  const bool born = (status.stx_mask & STATX_BTIME) != 0;
  return Candidate{.directory = std::move(*directory),
                   .path = path,
                   .device = makedev(status.stx_dev_major, status.stx_dev_minor),
                   .inode = status.stx_ino,
                   .age_ns = to_ns(born ? status.stx_btime : status.stx_mtime),
                   .born = born};
}

bool is_newer(const Candidate& one, const Candidate& other) {
  if (one.born != other.born || one.age_ns == other.age_ns) return one.path > other.path;
  return one.age_ns > other.age_ns;
}

}  // namespace

Result<std::optional<Candidate>> newest_match(int root_fd, const std::string& pattern) {
  if (!pattern.starts_with('/'))
    return fail(ErrorCode::kUsage, "app.run_dir '" + pattern + "' is not an absolute path");
  BROWNOUT_TRY(open_in_root(root_fd, "/", O_PATH | O_DIRECTORY));  // names a kernel that cannot do it at all
  std::optional<Candidate> newest;
  BROWNOUT_ASSIGN(const auto paths, (Expansion{root_fd, pattern}.run()));
  for (const auto& path : paths)
    if (auto candidate = examine(root_fd, path); candidate && (!newest || is_newer(*candidate, *newest)))
      newest = std::move(candidate);
  return newest;
}

}  // namespace brownout::events
