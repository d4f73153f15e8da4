// SPDX-License-Identifier: MIT
// A forked child that makes sockets where a test wants them: in a network namespace and in a cgroup.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace brownout::test {

// The child's end: single bytes, both ways, are the only protocol.
class Steps {
 public:
  Steps(int in, int out) : in_(in), out_(out) {}
  void say(char step) const {
    if (write(out_, &step, 1) != 1) _exit(97);
  }
  void await() const { // the parent's word; the parent gone ends us too
    char step = 0;
    if (read(in_, &step, 1) != 1) _exit(98);
  }

 private:
  int in_, out_;
};

struct Place {
  pid_t netns_of = 0;             // 0: stay
  std::filesystem::path cgroup{}; // empty: stay
};

class Process {
 public:
  using Body = std::function<int(const Steps&)>;

  Process(const std::string& comm, const Place& place, const Body& body) {
    std::array<int, 2> down{}, up{};
    if (pipe2(down.data(), O_CLOEXEC) != 0 || pipe2(up.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) {
      close(down[1]);
      close(up[0]);
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      signal(SIGPIPE, SIG_IGN);
      prctl(PR_SET_NAME, comm.c_str());
      go_to(place);
      _exit(body(Steps{down[0], up[1]}));
    }
    close(down[0]);
    close(up[1]);
    to_child_ = down[1];
    from_child_ = up[0];
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(to_child_);
    close(from_child_);
  }

  pid_t pid() const { return pid_; }
  void tell() const {
    const char step = '.';
    if (write(to_child_, &step, 1) != 1) throw std::runtime_error("the child is gone");
  }
  // The next byte of the child; 0 when it ended instead, or said nothing for 20 s.
  char await() const {
    pollfd ready{.fd = from_child_, .events = POLLIN, .revents = 0};
    char step = 0;
    if (poll(&ready, 1, 20'000) != 1 || read(from_child_, &step, 1) != 1) return 0;
    return step;
  }
  int wait() {
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  static void go_to(const Place& place) {
    if (!place.cgroup.empty()) {
      const int procs = open((place.cgroup / "cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
      if (procs < 0 || write(procs, "0", 1) != 1) _exit(95);
      close(procs);
    }
    if (place.netns_of != 0) {
      const int netns = open(("/proc/" + std::to_string(place.netns_of) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC);
      if (netns < 0 || setns(netns, CLONE_NEWNET) != 0) _exit(96);
      close(netns);
    }
  }

  pid_t pid_ = 0;
  int to_child_ = -1, from_child_ = -1;
};

// Runs a command in a network namespace; throws when it fails.
inline void run_in(pid_t netns_of, const std::vector<std::string>& command) {
  Process child{"run", {.netns_of = netns_of}, [&](const Steps&) {
    std::vector<char*> arguments;
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    return 127;
  }};
  if (child.wait() != 0) {
    std::string text;
    for (const auto& word : command) text += word + " ";
    throw std::runtime_error("failed: " + text);
  }
}

}  // namespace brownout::test
