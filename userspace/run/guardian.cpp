// SPDX-License-Identifier: MIT
#include "guardian.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include "brownout/privileges.hpp"
#include "brownout/run.hpp"
#include "pidfd.hpp"
#include "residue.hpp"

namespace brownout::run {
namespace {

using namespace std::chrono_literals;

constexpr int kStartLimitMs = 10'000;
// A device that just went, a netlink socket without memory: tried again, then left to `brownout clean`.
constexpr int kAttempts = 10;
constexpr auto kBetweenAttempts = 500ms;

constexpr std::string_view kWatching = "watching\n";

class SpawnAttributes {
 public:
  SpawnAttributes() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  ~SpawnAttributes() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;

  // Nothing but a way to speak with it: a descriptor of a link or of a TAP would keep the fault alive.
  void prepare(int socket) {
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, socket, STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    sigset_t all;
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  }

  Result<std::int32_t> spawn(const std::filesystem::path& executable, std::vector<std::string> arguments) {
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_t pid = 0;
    if (const int error = ::posix_spawn(&pid, executable.c_str(), &actions_, &attributes_, argv.data(), environ);
        error != 0)
      return fail_errno(ErrorCode::kKernel, error, "start the guardian, " + executable.string());
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

Result<> await_word(const UniqueFd& from) {
  std::array<char, 64> said{};
  pollfd one{from.get(), POLLIN, 0};
  if (::poll(&one, 1, kStartLimitMs) == 1) {
    const auto got = ::read(from.get(), said.data(), said.size());
    if (got > 0 && std::string_view{said.data(), static_cast<std::size_t>(got)} == kWatching) return {};
  }
  return fail(
      ErrorCode::kKernel, "the guardian did not come up",
      "It is this program, started once more. Nothing was attached. Is there memory, is there a limit on processes?");
}

// On stdout is the other end of Guardian::socket_.
void answer_until_end(const UniqueFd& process) {
  std::array<pollfd, 2> ends{{{process.get(), POLLIN, 0}, {STDOUT_FILENO, POLLIN, 0}}};
  while ((ends[0].revents & POLLIN) == 0) {
    if (::poll(ends.data(), ends.size(), -1) < 0 && errno != EINTR) return;
    if (ends[1].revents != 0 && !answer_still_there(STDOUT_FILENO)) ends[1] = {-1, 0, 0};
  }
}

// The last one to be killed when memory is short: it is small, and it is what puts things right.
void ask_to_be_spared() {
  if (const auto file = open_file("/proc/self/oom_score_adj", O_WRONLY))
    static_cast<void>(write_all(file->get(), "-999"));
}

}  // namespace

Result<Guardian> Guardian::start(const std::filesystem::path& journals, const std::filesystem::path& executable) {
  BROWNOUT_ASSIGN(const auto started, kernel::process_start_ticks(::getpid()));
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno(ErrorCode::kKernel, "make a pair of sockets for the guardian");
  Guardian guardian;
  guardian.socket_.reset(ends[0]);
  UniqueFd its_end{ends[1]};
  SpawnAttributes how;
  how.prepare(its_end.get());
  BROWNOUT_ASSIGN(guardian.pid_, how.spawn(executable, {"brownout", "guard", std::to_string(::getpid()),
                                                        std::to_string(started), journals.string()}));
  its_end.reset();  // so that its death is an end of file
  guardian.process_ = open_pidfd(guardian.pid_);
  if (!guardian.process_) return fail_errno(ErrorCode::kKernel, "watch the guardian");
  BROWNOUT_TRY(await_word(guardian.socket_));
  return guardian;
}

bool Guardian::alive() const { return process_ && !has_ended(process_, 0); }

Result<kernel::ObjectIds> Guardian::still_there(const kernel::ObjectIds& objects) const {
  return ask_still_there(socket_.get(), objects);
}

Result<> guard(std::int32_t pid, std::uint64_t start_ticks, const std::filesystem::path& journals) {
  ::prctl(PR_SET_NAME, "brownout-guard");
  ask_to_be_spared();
  BROWNOUT_TRY(forbid_new_privileges());
  BROWNOUT_TRY(keep_only(kernel::kGuardianNeeds));
  // Opened first, compared then: whoever has the pid now is not mistaken for the one that had it.
  const UniqueFd process = open_pidfd(pid);
  if (!process && errno != ESRCH) return fail_errno(ErrorCode::kKernel, fmt::format("watch process {}", pid));
  BROWNOUT_ASSIGN(const bool alive, kernel::is_alive(pid, start_ticks));
  // Nobody may be left to hear it.
  static_cast<void>(write_all(STDOUT_FILENO, kWatching));
  if (process && alive) answer_until_end(process);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto report = kernel::clean(journals, "guardian");
    if (report && report->failed.empty()) break;
    std::this_thread::sleep_for(kBetweenAttempts);
  }
  return {};
}

}  // namespace brownout::run
