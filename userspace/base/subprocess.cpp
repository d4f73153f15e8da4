// SPDX-License-Identifier: MIT
#include "brownout/subprocess.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "brownout/fd.hpp"
#include "brownout/pidfd.hpp"
#include "brownout/text.hpp"

namespace brownout {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMaxOutput = std::size_t{1} << 20;
// An operator's PATH may lack the sbin folders.
constexpr std::string_view kUsualFolders = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin";

struct Pipe { UniqueFd read, write; };

Result<Pipe> open_pipe() {
  int ends[2];
  // The reading end never blocks: a grandchild may keep the writing end open after the program has gone.
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno(ErrorCode::kKernel, "make a pipe");
  Pipe pipe{UniqueFd{ends[0]}, UniqueFd{ends[1]}};
  if (::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK) != 0) return fail_errno(ErrorCode::kKernel, "set up a pipe");
  return pipe;
}

class SpawnSettings {
 public:
  SpawnSettings(const std::filesystem::path& input, int out, int err) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, input.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1); // what our parent left open, too
    // Signals that we block or ignore are not the program's business.
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  Result<pid_t> spawn(const std::filesystem::path& program, const std::vector<std::string>& arguments) const {
    std::vector<std::string> words{program.string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_t child = 0;
    const int error = ::posix_spawn(&child, program.c_str(), &actions_, &attributes_, argv.data(), environ);
    if (error != 0) return fail_errno(ErrorCode::kIo, error, "start " + program.string());
    return child;
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// Takes what is there; false when the pipe has ended or nobody needs more of it.
bool drain(const UniqueFd& pipe, std::string& text) {
  std::array<char, 1 << 14> buffer{};
  while (text.size() < kMaxOutput) {
    const ssize_t got = ::read(pipe.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return false;
}

int reap(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Until the program has ended; false at the deadline.
bool follow(const UniqueFd& process, UniqueFd& out, UniqueFd& err, Finished& finished, Clock::time_point deadline) {
  while (true) {
    std::array<pollfd, 3> polled{pollfd{process.get(), POLLIN, 0}, pollfd{out.get(), POLLIN, 0},
                                 pollfd{err.get(), POLLIN, 0}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    if (::poll(polled.data(), polled.size(), static_cast<int>(left)) < 0 && errno != EINTR) return false;
    const bool ended = polled[0].revents != 0;
    if (out && !drain(out, finished.out)) out.reset();
    if (err && !drain(err, finished.err)) err.reset();
    if (ended) return true;
  }
}

}  // namespace

std::optional<std::filesystem::path> find_program(const std::string& name, const std::string& search_path) {
  const char* environment = std::getenv("PATH");
  const auto usual = fmt::format("{}:{}", environment != nullptr ? environment : "", kUsualFolders);
  std::istringstream folders{search_path.empty() ? usual : search_path};
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (!folder.starts_with('/')) continue; // never a program of the current folder, as root
    const auto program = std::filesystem::path{folder} / name;
    std::error_code error;
    if (std::filesystem::is_regular_file(program, error) && ::access(program.c_str(), X_OK) == 0) return program;
  }
  return std::nullopt;
}

std::string last_line(std::string text) {
  static constexpr std::size_t kMostShown = 300;
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (const auto start = text.rfind('\n'); start != std::string::npos) text.erase(0, start + 1);
  return visible(text.size() > kMostShown ? text.substr(0, kMostShown) + "..." : text);
}

Result<Finished> run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                             std::chrono::milliseconds deadline, const std::filesystem::path& input) {
  BROWNOUT_ASSIGN(Pipe out, open_pipe());
  BROWNOUT_ASSIGN(Pipe err, open_pipe());
  BROWNOUT_ASSIGN(const pid_t child, SpawnSettings(input, out.write.get(), err.write.get()).spawn(program, arguments));
  out.write.reset();
  err.write.reset();
  const auto process = open_pidfd(child);
  Finished finished;
  const bool ended = process && follow(process, out.read, err.read, finished, Clock::now() + deadline);
  if (!ended) ::kill(child, SIGKILL);
  finished.exit_code = reap(child);
  if (!ended)
    return fail(ErrorCode::kIo,
                fmt::format("{} did not end within {} ms and was killed", program.string(), deadline.count()));
  return finished;
}

}  // namespace brownout
