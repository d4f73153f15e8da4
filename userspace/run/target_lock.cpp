// SPDX-License-Identifier: MIT
#include "target_lock.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "brownout/clock.hpp"
#include "brownout/json_fields.hpp"
#include "brownout/run.hpp"

namespace brownout::run {
namespace {

using nlohmann::json;

constexpr std::size_t kMostBytes = 4096;
constexpr std::string_view kLockPrefix = "netns-", kLockSuffix = ".lock";
constexpr auto kPatience = std::chrono::seconds{1};
constexpr auto kBetweenLooks = std::chrono::milliseconds{10};

// Null while nobody has signed it.
json holder_of(const std::filesystem::path& path) {
  const auto text = read_file(path, kMostBytes);
  auto holder = json::parse(text ? *text : std::string{}, nullptr, false);
  return holder.is_object() && holder.contains("drill") && holder.contains("pid") ? std::move(holder) : json{};
}

// Otherwise whoever locked it is about to sign it, or is a cleaner about to remove it.
bool lives(const json& holder) {
  if (!holder.is_object() || !holder["pid"].is_number_integer() ||
      !holder.value("start_ticks", json{}).is_number_unsigned())
    return false;
  return kernel::is_alive(holder["pid"].get<std::int32_t>(), holder["start_ticks"].get<std::uint64_t>())
      .value_or(false);
}

Error refusal(const target::Target& target, const json& holder) {
  const auto who = holder.is_object() ? fmt::format("drill {} (pid {})", holder["drill"].dump(), holder["pid"].dump())
                                      : std::string{"another drill"};
  return {.code = ErrorCode::kRefused,
          .what = fmt::format("{} is running on '{}' already", who, target.name),
          .hint =
              "Each would take the other's faults for the network's. Wait for its end, or end it by its STOP file or "
              "SIGINT."};
}

// The one before may have removed the file between our opening and our locking it.
bool is_still(const std::filesystem::path& path, const UniqueFd& file) {
  struct stat here {};
  struct stat there {};
  return ::fstat(file.get(), &here) == 0 && ::stat(path.c_str(), &there) == 0 && here.st_ino == there.st_ino &&
         here.st_dev == there.st_dev;
}

Result<> sign(const std::filesystem::path& path, const UniqueFd& file, const std::string& drill,
              const std::string& target) {
  if (::ftruncate(file.get(), 0) != 0) return fail_errno(ErrorCode::kIo, "empty the target's lock " + path.string());
  BROWNOUT_ASSIGN(const auto started, kernel::process_start_ticks(::getpid()));
  const json holder{{"drill", drill},
                    {"target", target},
                    {"since_utc", format_utc(realtime_ns())},
                    {"pid", ::getpid()},
                    {"start_ticks", started}};
  if (auto written = write_all(file.get(), holder.dump() + "\n"); !written)
    return std::unexpected(std::move(written).error().with_context(path.string()));
  return {};
}

}  // namespace

std::filesystem::path TargetLock::path_for(const target::Target& target, const std::filesystem::path& directory) {
  return directory / fmt::format("{}{}{}", kLockPrefix, target.netns_inode, kLockSuffix);
}

Result<TargetLock> TargetLock::take(const target::Target& target, const std::string& drill,
                                    const std::filesystem::path& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno(ErrorCode::kIo, "make the directory of locks " + directory.string());
  const auto path = path_for(target, directory);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    BROWNOUT_ASSIGN(UniqueFd file, open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return fail_errno(ErrorCode::kIo, "lock " + path.string());
      const auto holder = holder_of(path);
      if (lives(holder) || std::chrono::steady_clock::now() > deadline) return std::unexpected(refusal(target, holder));
      std::this_thread::sleep_for(kBetweenLooks);
      continue;
    }
    if (!is_still(path, file)) continue;
    BROWNOUT_TRY(sign(path, file, drill, target.name));
    return TargetLock{path, std::move(file)};
  }
}

Result<> TargetLock::look(const target::Target& target, const std::filesystem::path& directory) {
  const auto holder = holder_of(path_for(target, directory));
  if (lives(holder)) return std::unexpected(refusal(target, holder));
  return {};
}

Result<std::vector<RunningDrill>> running_drills(const std::filesystem::path& locks) {
  std::error_code error;
  std::filesystem::directory_iterator entries(locks, error);
  if (error == std::errc::no_such_file_or_directory) return std::vector<RunningDrill>{};
  if (error)
    return fail_errno(ErrorCode::kIo, error.value(), "look for drills in " + locks.string(),
                      "It belongs to whoever runs drills: root, mostly.");
  std::vector<RunningDrill> running;
  for (const auto& entry : entries) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(kLockPrefix) || !name.ends_with(kLockSuffix)) continue;
    const auto holder = holder_of(entry.path());
    if (!lives(holder)) continue;
    running.push_back({text_at(holder, "/drill"), text_at(holder, "/target"), text_at(holder, "/since_utc"),
                       holder["pid"].get<std::int32_t>()});
  }
  std::ranges::sort(running, {}, &RunningDrill::pid);
  return running;
}

// While it is held: nobody else's file can be there.
TargetLock::~TargetLock() {
  if (file_) ::unlink(path_.c_str());
}

}  // namespace brownout::run
