// SPDX-License-Identifier: MIT
#include "target_lock.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace brownout::run {
namespace {

constexpr std::size_t kMostBytes = 4096;

// Who holds it may be about to write its name.
std::string holder_of(const std::filesystem::path& path) {
  const auto text = read_file(path, kMostBytes);
  const auto holder = nlohmann::json::parse(text ? *text : std::string{}, nullptr, false);
  if (!holder.is_object() || !holder.contains("drill") || !holder.contains("pid")) return "another drill";
  return fmt::format("drill {} (pid {})", holder["drill"].dump(), holder["pid"].dump());
}

Error refusal(const target::Target& target, const std::filesystem::path& path) {
  return {.code = ErrorCode::kRefused,
          .what = fmt::format("{} is running on '{}' already", holder_of(path), target.name),
          .hint = "Each would take the other's faults for the network's. Wait for its end, or end it by its STOP file or SIGINT."};
}

// The one before may have removed the file between our opening and our locking it.
bool is_still(const std::filesystem::path& path, const UniqueFd& file) {
  struct stat here{}, there{};
  return ::fstat(file.get(), &here) == 0 && ::stat(path.c_str(), &there) == 0 && here.st_ino == there.st_ino &&
         here.st_dev == there.st_dev;
}

Result<> sign(const std::filesystem::path& path, const UniqueFd& file, const std::string& drill) {
  if (::ftruncate(file.get(), 0) != 0) return fail_errno(ErrorCode::kIo, "empty the target's lock " + path.string());
  if (auto written = write_all(file.get(), nlohmann::json{{"drill", drill}, {"pid", ::getpid()}}.dump() + "\n"); !written)
    return std::unexpected(std::move(written).error().with_context(path.string()));
  return {};
}

}  // namespace

Result<TargetLock> TargetLock::take(const target::Target& target, const std::string& drill,
                                    const std::filesystem::path& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno(ErrorCode::kIo, "make the directory of locks " + directory.string());
  const auto path = directory / fmt::format("netns-{}.lock", target.netns_inode);
  for (;;) {
    BROWNOUT_ASSIGN(UniqueFd file, open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return fail_errno(ErrorCode::kIo, "lock " + path.string());
      return std::unexpected(refusal(target, path));
    }
    if (!is_still(path, file)) continue;
    BROWNOUT_TRY(sign(path, file, drill));
    return TargetLock{path, std::move(file)};
  }
}

// While it is held: nobody else's file can be there.
TargetLock::~TargetLock() {
  if (file_) ::unlink(path_.c_str());
}

}  // namespace brownout::run
