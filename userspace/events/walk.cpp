// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "beneath.hpp"
#include "brownout/events.hpp"
#include "brownout/text.hpp"

namespace brownout::events {
namespace {

constexpr int kDeepestFolder = 32;
constexpr std::size_t kMostFiles = 100'000;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

// Names go into line-based lists (sha256sum's among them): only plain ones can.
bool is_plain_name(const std::string& name) { return visible(name) == name && !name.contains('\\'); }

std::string escaped(const std::string& name) {
  std::string text;
  for (const char c : name) {
    if (c >= ' ' && c <= '~' && c != '\\') text += c;
    else text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return text;
}

class Walk {
 public:
  Result<> into(int fd, const std::string& prefix, int depth);
  std::vector<FoundFile> take() { return std::move(found_); }

 private:
  Result<> visit(int fd, const std::string& prefix, const std::string& name, int depth);

  std::vector<FoundFile> found_;
};

Result<> Walk::into(int fd, const std::string& prefix, int depth) {
  UniqueFd readable{::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!readable) return fail_errno(ErrorCode::kIo, "read the directory " + (prefix.empty() ? "itself" : prefix));
  const Directory directory{::fdopendir(readable.get())};
  if (!directory) return fail_errno(ErrorCode::kIo, "read the directory " + prefix);
  readable.release();
  while (true) {
    errno = 0;
    const dirent* next = ::readdir(directory.get());
    if (next == nullptr && errno != 0) return fail_errno(ErrorCode::kIo, "read the directory " + prefix);
    if (next == nullptr) return {};
    const std::string name{next->d_name};
    if (name == "." || name == "..") continue;
    if (found_.size() >= kMostFiles)
      return fail(ErrorCode::kFormat, fmt::format("more than {} files in the run directory", kMostFiles));
    BROWNOUT_TRY(visit(fd, prefix, name, depth));
  }
}

Result<> Walk::visit(int fd, const std::string& prefix, const std::string& name, int depth) {
  FoundFile file{.path = prefix + name};
  struct stat status {};
  if (::fstatat(fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};  // gone since it was listed: a temporary file of the app
    file.what = "unreadable";
  } else if (!is_plain_name(name)) {
    file.what = "unprintable name";
  } else if (S_ISDIR(status.st_mode)) {
    const auto folder = open_within(fd, name, O_PATH | O_DIRECTORY);
    if (!folder && folder.error().code == ErrorCode::kNotFound) return {};
    if (folder && depth < kDeepestFolder) return into(folder->get(), file.path + "/", depth + 1);
    file.what = folder                                        ? "folder too deep"
                : folder.error().code == ErrorCode::kRefused ? "link or mount in place of a folder"
                                                             : "unreadable folder";
  } else {
    file.regular = S_ISREG(status.st_mode);
    if (!file.regular) file.what = kind_of(status.st_mode);
  }
  if (file.what == "unprintable name") file.path = prefix + escaped(name);
  file.size = static_cast<std::uint64_t>(status.st_size);
  file.inode = status.st_ino;
  file.mtime_ns = status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec;
  found_.push_back(std::move(file));
  return {};
}

}  // namespace

Result<std::vector<FoundFile>> walk_beneath(int directory_fd) {
  Walk walk;
  BROWNOUT_TRY(walk.into(directory_fd, "", 0));
  auto found = walk.take();
  std::ranges::sort(found, {}, &FoundFile::path);
  // A directory that changes while it is read may give a name twice.
  const auto repeated = std::ranges::unique(found, {}, &FoundFile::path);
  found.erase(repeated.begin(), repeated.end());
  return found;
}

}  // namespace brownout::events
