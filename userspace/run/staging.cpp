// SPDX-License-Identifier: MIT
#include "staging.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace brownout::run {
namespace {

constexpr std::string_view kPrefix = ".brownout-";

Result<UniqueFd> lock(const std::filesystem::path& directory) {
  BROWNOUT_ASSIGN(UniqueFd fd, open_file(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) return fail_errno(ErrorCode::kIo, "lock " + directory.string());
  return fail(ErrorCode::kRefused, fmt::format("the drill of {} is running", directory.string()),
              "It seals its evidence itself when it ends: by its STOP file or SIGINT, if it has to be now.");
}

// In such a directory others could put their own in the place of what is written.
Result<> refuse_open_to_all(const std::filesystem::path& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) return fail_errno(ErrorCode::kIo, "look at " + directory.string());
  if ((status.st_mode & S_IWOTH) == 0) return {};
  return fail(ErrorCode::kRefused, fmt::format("anyone may write in {}", directory.string()),
              "Evidence goes where only its owner writes: mkdir -m 700 DIR, and name it with --out.");
}

}  // namespace

Result<Staging> Staging::make(const std::filesystem::path& out_directory) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(out_directory, error);
  if (error) return fail_errno(ErrorCode::kIo, error.value(), "create " + out_directory.string());
  BROWNOUT_TRY(refuse_open_to_all(out_directory));
  const auto absolute = std::filesystem::absolute(out_directory, error);
  std::string path = (absolute / (std::string{kPrefix} + "XXXXXX")).string();
  if (::mkdtemp(path.data()) == nullptr)
    return fail_errno(ErrorCode::kIo, "create a directory in " + out_directory.string(),
                      "Name a writable directory with --out.");
  auto locked = lock(path);
  // Evidence whose directory a power cut takes along is lost with it.
  auto synced = sync_directory(absolute);
  if (synced && made) synced = sync_directory(absolute.parent_path());
  if (!synced && locked) locked = std::unexpected(std::move(synced).error());
  if (!locked) {
    std::filesystem::remove(path, error);
    return std::unexpected(std::move(locked).error());
  }
  return Staging{path, std::move(*locked), true};
}

Result<Staging> Staging::take_over(const std::filesystem::path& directory) {
  BROWNOUT_ASSIGN(auto locked, lock(directory));
  struct stat status {};
  if (::fstat(locked.get(), &status) != 0) return fail_errno(ErrorCode::kIo, "look at " + directory.string());
  if (status.st_uid != ::geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(ErrorCode::kRefused, fmt::format("{} is not ours alone", directory.string()),
                "brownout makes it for its own user, mode 0700. Recover it as that user; let nobody else write there.");
  return Staging{directory, std::move(locked), false};
}

Result<std::vector<std::filesystem::path>> Staging::unsealed_in(const std::filesystem::path& out_directory) {
  std::error_code error;
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator{out_directory, error})
    if (entry.path().filename().string().starts_with(kPrefix) && entry.is_directory(error))
      found.push_back(entry.path());
  if (error) return fail_errno(ErrorCode::kIo, error.value(), "read " + out_directory.string());
  std::ranges::sort(found);
  return found;
}

Staging::~Staging() {
  std::error_code ignored;
  if (remove_ && !path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace brownout::run
