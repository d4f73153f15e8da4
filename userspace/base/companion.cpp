// SPDX-License-Identifier: MIT
#include "brownout/companion.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include "brownout/pidfd.hpp"

namespace brownout {
namespace {

constexpr int kStartLimitMs = 10'000;
constexpr std::string_view kReady = "ready\n";

class CompanionSpawn {
 public:
  // Nothing but a way to speak with it: a descriptor of a link or of a TAP would keep the fault alive.
  explicit CompanionSpawn(int socket) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, socket, STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    sigset_t all;
    ::sigfillset(&all);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setsigmask(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  }
  ~CompanionSpawn() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  CompanionSpawn(const CompanionSpawn&) = delete;
  CompanionSpawn& operator=(const CompanionSpawn&) = delete;

  Result<std::int32_t> spawn(const std::string& what, const std::filesystem::path& executable,
                             std::vector<std::string> arguments) const {
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_t pid = 0;
    if (const int error = ::posix_spawn(&pid, executable.c_str(), &actions_, &attributes_, argv.data(), environ);
        error != 0)
      return fail_errno(ErrorCode::kKernel, error, fmt::format("start {}, {}", what, executable.string()));
    return pid;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

Result<> await_ready(const std::string& what, const UniqueFd& from) {
  std::array<char, 64> said{};
  pollfd one{from.get(), POLLIN, 0};
  if (::poll(&one, 1, kStartLimitMs) == 1) {
    const auto got = ::read(from.get(), said.data(), said.size());
    if (got > 0 && std::string_view{said.data(), static_cast<std::size_t>(got)} == kReady) return {};
  }
  return fail(ErrorCode::kKernel, what + " did not come up",
              "It is this program, started once more. Is there memory, is there a limit on processes?");
}

}  // namespace

Result<Companion> start_companion(const std::string& what, const std::filesystem::path& executable,
                                  std::vector<std::string> arguments) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno(ErrorCode::kKernel, "make a pair of sockets for " + what);
  Companion companion;
  companion.socket.reset(ends[0]);
  UniqueFd its_end{ends[1]};
  BROWNOUT_ASSIGN(companion.pid, CompanionSpawn(its_end.get()).spawn(what, executable, std::move(arguments)));
  its_end.reset();  // so that its death is an end of file
  companion.process = open_pidfd(companion.pid);
  if (!companion.process) return fail_errno(ErrorCode::kKernel, "watch " + what);
  BROWNOUT_TRY(await_ready(what, companion.socket));
  return companion;
}

void say_ready() { static_cast<void>(write_all(STDOUT_FILENO, kReady)); }

}  // namespace brownout
