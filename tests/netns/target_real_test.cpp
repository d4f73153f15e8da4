// SPDX-License-Identifier: MIT
// resolve() on the machine itself: real cgroups, a real cgroup namespace, the level as the kernel counts it.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include "brownout/target.hpp"

namespace target_real_test {

using namespace brownout;
using namespace brownout::target;
namespace fs = std::filesystem;

namespace {

// A cgroup of our own with one below it; skipped where that is not allowed.
class Cgroups {
 public:
  Cgroups() {
    const auto mount = cgroup2_mount();
    if (!mount) SKIP(mount.error().render());
    top_ = *mount / ("brownout-test-" + std::to_string(::getpid()));
    std::error_code error;
    if (!fs::create_directory(top_, error)) SKIP("cannot make a cgroup: " << error.message());
    REQUIRE(fs::create_directory(inner()));
  }
  ~Cgroups() {
    for (const pid_t pid : children_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    ::rmdir(inner().c_str());
    ::rmdir(top_.c_str());
  }
  Cgroups(const Cgroups&) = delete;
  Cgroups& operator=(const Cgroups&) = delete;

  fs::path top() const { return top_; }
  fs::path inner() const { return top_ / "inner"; }

  static void enter(const fs::path& cgroup, pid_t pid) {
    std::ofstream procs{cgroup / "cgroup.procs"};
    procs << pid << std::flush;
    REQUIRE(procs.good());
  }

  pid_t sleeper(const fs::path& cgroup) {
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      while (true) ::pause();
    }
    children_.push_back(pid);
    enter(cgroup, pid);
    return pid;
  }

 private:
  fs::path top_;
  std::vector<pid_t> children_;
};

// The kernel's own count: how many directories lie between the cgroup and a mount of the whole hierarchy.
int depth_of(const fs::path& cgroup) {
  const fs::path relative = cgroup.lexically_relative(*cgroup2_mount());
  return static_cast<int>(std::distance(relative.begin(), relative.end()));
}

}  // namespace

TEST_CASE("a real process resolves to its cgroup's inode, level and network namespace") {
  Cgroups cgroups;
  const pid_t pid = cgroups.sleeper(cgroups.inner());
  const auto target = resolve(drill::PidTarget{pid});
  if (!target) FAIL(target.error().render());
  struct stat status {};
  REQUIRE(::stat(cgroups.inner().c_str(), &status) == 0);
  CHECK(target->cgroup_path == cgroups.inner());
  CHECK(target->cgroup_id == status.st_ino);
  CHECK(target->cgroup_level == depth_of(cgroups.inner()));
  REQUIRE(::stat("/proc/self/ns/net", &status) == 0);
  CHECK(target->netns_inode == status.st_ino);
  CHECK(target->host_network);
  const auto by_cgroup = resolve(drill::CgroupTarget{cgroups.top()});
  if (!by_cgroup) FAIL(by_cgroup.error().render());
  CHECK(by_cgroup->pid == pid);
  CHECK(by_cgroup->cgroup_level + 1 == target->cgroup_level);
  const auto members = processes(*by_cgroup);
  REQUIRE(members);
  REQUIRE(members->size() == 1);
  CHECK(members->front().cgroup == cgroups.inner());
}

TEST_CASE("our own cgroup is refused on the real machine") {
  const auto target = resolve(drill::PidTarget{::getpid()});
  REQUIRE_FALSE(target);
  CHECK(target.error().code == ErrorCode::kRefused);
}

TEST_CASE("inside a real cgroup namespace the level is still the kernel's") {
  Cgroups cgroups;
  const pid_t pid = cgroups.sleeper(cgroups.inner());
  const int expected = depth_of(cgroups.inner());
  constexpr int kNoNamespace = 101, kNotResolved = 102, kWrongPath = 103;
  const pid_t inside = ::fork();
  REQUIRE(inside >= 0);
  if (inside == 0) {
    // Waits until it has been moved, so that the namespace's root is `top`.
    while (cgroup_of_pid(::getpid()).value_or("/").filename() != cgroups.top().filename()) ::sched_yield();
    if (::unshare(CLONE_NEWCGROUP) != 0) ::_exit(kNoNamespace);
    const auto target = resolve(drill::PidTarget{pid});
    if (!target) ::_exit(kNotResolved);
    ::_exit(target->cgroup_path == cgroups.inner() ? target->cgroup_level : kWrongPath);
  }
  Cgroups::enter(cgroups.top(), inside);
  int status = 0;
  REQUIRE(::waitpid(inside, &status, 0) == inside);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNoNamespace) SKIP("cgroup namespaces cannot be made here");
  CHECK(WEXITSTATUS(status) == expected);
}

}  // namespace target_real_test
