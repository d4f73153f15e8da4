// SPDX-License-Identifier: MIT
#include "outlet.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "brownout/capabilities.hpp"
#include "brownout/clock.hpp"

namespace brownout::run {
namespace {

constexpr int kLookEvery = 100;  // ms
// A pipe that polls as writable takes as much without blocking.
constexpr std::size_t kPiece = 4096;

// O_NONBLOCK belongs to what was opened, which we share with the shell: so it is opened once more. A file is not, its end
// would be lost; and it never waits for a reader.
UniqueFd open_anew(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0 || (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))) return {};
  return UniqueFd{::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
}

// SIGTTOU would stop us, SIGPIPE end us.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  static_cast<void>(::pthread_sigmask(SIG_BLOCK, &all, nullptr));
}

}  // namespace

Outlet::Outlet(int fd, bool colour) : fd_(fd), colour_(colour), own_(open_anew(fd)), thread_([this] { write_on(); }) {}

Outlet::~Outlet() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Outlet::line(std::string text, Weight weight) {
  text += '\n';
  const std::lock_guard lock(mutex_);
  if (waiting_.size() + text.size() > (weight == Weight::kLight ? kMostBytes / 2 : kMostBytes)) {
    ++left_out_;
    return;
  }
  waiting_ += text;
  changed_.notify_all();
}

void Outlet::show(LiveState state) {
  const std::lock_guard lock(mutex_);
  next_ = std::move(state);
  changed_.notify_all();
}

void Outlet::write_on() {
  static_cast<void>(keep_only({}));
  block_signals();
  std::unique_lock lock(mutex_);
  for (bool ended = false; !ended;) {
    changed_.wait(lock, [this] { return ending_ || !waiting_.empty() || next_; });
    ended = ending_;
    auto lines = std::exchange(waiting_, {});
    if (const auto left_out = std::exchange(left_out_, 0); left_out > 0)
      lines += fmt::format("{} lines were left out here: nobody read them\n", left_out);
    if (next_) shown_ = std::exchange(next_, std::nullopt);
    lock.unlock();
    write_all(painter_.paint(lines, !ended && shown_ ? &*shown_ : nullptr, screen()));
    lock.lock();
    // While that was written there may have come more.
    ended = ended && waiting_.empty() && left_out_ == 0;
  }
}

bool Outlet::write_all(std::string_view bytes) {
  std::int64_t patience_ends = 0;
  while (!bytes.empty()) {
    if (!wait_for_room(patience_ends)) return false;
    const auto written = ::write(own_ ? own_.get() : fd_, bytes.data(), std::min(bytes.size(), kPiece));
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
      patience_ends = 0;
    } else if (written == 0 || (errno != EAGAIN && errno != EINTR)) {
      return false;  // a closed pipe, a terminal that went, a full disk: whatever matters is in the evidence
    }
  }
  return true;
}

// False: nothing was taken for too long, and nobody can wait any more.
bool Outlet::wait_for_room(std::int64_t& patience_ends) {
  while (true) {
    pollfd room{own_ ? own_.get() : fd_, POLLOUT, 0};
    if (::poll(&room, 1, kLookEvery) != 0) return true;
    const std::lock_guard lock(mutex_);
    if (!ending_) continue;
    if (patience_ends == 0) patience_ends = monotonic_ns() + kPatience;
    if (monotonic_ns() >= patience_ends) return false;
  }
}

Screen Outlet::screen() const {
  Screen screen{.colour = colour_};
  winsize size{};
  if (::ioctl(fd_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return screen;
  screen.columns = size.ws_col;
  screen.rows = size.ws_row;
  return screen;
}

}  // namespace brownout::run
