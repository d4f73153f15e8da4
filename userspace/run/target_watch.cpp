// SPDX-License-Identifier: MIT
#include "target_watch.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "brownout/pidfd.hpp"

namespace brownout::run {
namespace {

std::string file_of_netns(std::int32_t pid) { return fmt::format("/proc/{}/net/dev", pid); }

}  // namespace

Result<TargetWatch> TargetWatch::start(const target::Target& target, const kernel::Interface& interface) {
  TargetWatch watch{target, interface};
  if (target.runtime != "cgroup") {
    watch.process_ = open_pidfd(target.pid);
    if (!watch.process_ && errno != ESRCH)
      return fail_errno(ErrorCode::kKernel, fmt::format("watch process {} of '{}'", target.pid, target.name));
    if (!watch.process_) watch.gone_ = fmt::format("process {} has ended", target.pid);
    watch.of_netns_ = open_file(file_of_netns(target.pid), O_PATH).value_or(UniqueFd{});
  }
  // The process is held by now: whether it is the one that was resolved is seen by where it is.
  if (!watch.gone_) watch.gone_ = watch.look();
  if (watch.gone_)
    return fail(ErrorCode::kNotFound, fmt::format("'{}' is not as it was found: {}", target.name, *watch.gone_),
                "Nothing was attached. Was it restarted? Run the drill again.");
  return watch;
}

const std::optional<std::string>& TargetWatch::gone() {
  if (gone_) return gone_;
  if (process_ended()) {
    gone_ = fmt::format("process {} has ended", target_.pid);
  } else if (const std::int64_t now = monotonic_ns(); now >= next_look_ns_) {
    next_look_ns_ = now + kLookEvery;
    gone_ = look();
  }
  return gone_;
}

std::optional<std::string> TargetWatch::look() const {
  if (auto change = target::change_of(target_)) return change;
  if (left_netns()) return fmt::format("process {} has moved to another network namespace", target_.pid);
  if (!kernel::is_there(interface_))
    return fmt::format("its interface {} (index {}) is gone", interface_.host_name, interface_.host_ifindex);
  return std::nullopt;
}

bool TargetWatch::left_netns() const {
  struct stat then {};
  struct stat now {};
  if (!of_netns_ || ::fstat(of_netns_.get(), &then) != 0) return false;
  return ::stat(file_of_netns(target_.pid).c_str(), &now) == 0 && now.st_ino != then.st_ino;
}

bool TargetWatch::process_ended() const { return process_ && has_ended(process_, 0); }

}  // namespace brownout::run
