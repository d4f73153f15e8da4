// SPDX-License-Identifier: MIT
// What a process may not do any more once its system calls are filtered, in whichever of its threads, and what it may.
#include <cerrno>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <linux/bpf.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "brownout/capabilities.hpp"
#include "brownout/fd.hpp"
#include "brownout/system_calls.hpp"
#include "support/scratch_directory.hpp"

namespace base_system_calls_test {

using namespace brownout;
using namespace brownout::test;

namespace {

int error_of(long result) { return result < 0 ? errno : 0; }

int bpf_error(bpf_cmd command) {
  bpf_attr attributes{};
  return error_of(::syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

// Each is refused for a reason of its own when it is not filtered: none of these arguments could do anything.
void try_what_is_refused(const std::function<void(bool, const char*)>& hold) {
  hold(error_of(::setns(-1, 0)) == EPERM, "setns");  // EBADF else
  hold(error_of(::unshare(0)) == EPERM, "unshare");  // 0 else
  hold(error_of(::mount("", "", "", 0, nullptr)) == EPERM, "mount");  // ENOENT else, for root
  hold(error_of(::ptrace(PTRACE_DETACH, -1, nullptr, nullptr)) == EPERM, "ptrace");  // ESRCH else
  hold(error_of(::setuid(::getuid())) == EPERM, "setuid");  // 0 else
  hold(error_of(::syscall(SYS_io_uring_setup, 0, nullptr)) == EPERM, "io_uring_setup");
  hold(error_of(::syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0)) == EPERM, "clone of a namespace");
  hold(error_of(::syscall(SYS_clone3, nullptr, 0)) == ENOSYS, "clone3");  // EINVAL else
  hold(bpf_error(BPF_PROG_LOAD) == EPERM, "bpf: load");  // EINVAL else, for root
  hold(bpf_error(BPF_PROG_GET_FD_BY_ID) == EPERM, "bpf: by id");
}

void try_what_is_allowed(const std::function<void(bool, const char*)>& hold, const std::filesystem::path& file) {
  hold(write_file(file, "text").has_value() && read_file(file).value_or("") == "text", "files");
  bool ran = false;
  std::thread{[&ran] { ran = true; }}.join();
  hold(ran, "threads");
  bpf_attr lookup{};
  lookup.map_fd = static_cast<__u32>(-1);
  hold(error_of(::syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &lookup, sizeof lookup)) != 0 && (errno == EBADF || ::getuid() != 0),
       "bpf: lookup");
  hold(std::system("exit 3") == 3 << 8, "another program");
}

// A thread that was there before the filter.
class Bystander {
 public:
  void run(const std::function<void()>& body) {
    {
      std::lock_guard lock{mutex_};
      body_ = body;
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::function<void()> body_;
  std::thread thread_{[this] {
    std::unique_lock lock{mutex_};
    wake_.wait(lock, [this] { return static_cast<bool>(body_); });
    body_();
  }};
};

std::string in_a_filtered_process() {
  const ScratchDirectory scratch;
  const pid_t child = ::fork();
  if (child == 0) {
    std::string problems;
    const auto hold = [&problems](bool holds, const char* what) {
      if (!holds) problems += std::string{what} + " (" + std::to_string(errno) + ") ";
    };
    Bystander older;
    hold(forbid_new_privileges().has_value(), "no_new_privs");
    const auto filter = filter_system_calls();
    hold(filter && filter->absent.empty(), "there is a filter");
    try_what_is_refused(hold);
    older.run([&] { try_what_is_refused(hold); });
    try_what_is_allowed(hold, scratch / "file");
    spill(scratch / "problems", problems);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status == 0 ? slurp(scratch / "problems") : "ended with status " + std::to_string(status);
}

}  // namespace

TEST_CASE("filtered system calls are refused in every thread, and a drill's own are not") {
  CHECK(in_a_filtered_process() == "");
}

}  // namespace base_system_calls_test
