// SPDX-License-Identifier: MIT
#include "stop_file.hpp"

#include <cerrno>

#include <fcntl.h>

#include "brownout/fd.hpp"

namespace brownout::run {
namespace {

constexpr const char* kNoLinks = "Links are not followed on the way to it. Write its real path as app.stop_file.";

Result<UniqueFd> open_parent(const std::filesystem::path& path) {
  BROWNOUT_ASSIGN(auto at, open_file("/", O_PATH | O_DIRECTORY));
  for (const auto& part : path.parent_path().relative_path()) {
    UniqueFd next{::openat(at.get(), part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    if (!next)
      return fail_errno(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kRefused,
                        "open the directory of " + path.string(), errno == ENOTDIR ? kNoLinks : "");
    at = std::move(next);
  }
  return at;
}

}  // namespace

Result<> create_stop_file(const std::filesystem::path& path) {
  BROWNOUT_ASSIGN(const auto parent, open_parent(path));
  const UniqueFd made{::openat(parent.get(), path.filename().c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644)};  // the app is to read it
  if (!made) return fail_errno(ErrorCode::kIo, "create " + path.string());
  return {};
}

bool says_stopped(const nlohmann::json& manifest) {
  if (!manifest.is_object()) return false;
  const auto found = manifest.find("stop_detected");
  return found != manifest.end() && *found == true;
}

}  // namespace brownout::run
