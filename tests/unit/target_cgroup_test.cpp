// SPDX-License-Identifier: MIT
#include <sys/stat.h>

#include "target_fixture.hpp"

namespace target_cgroup_test {

using namespace brownout;
using namespace brownout::target;

namespace {

const char* kHybrid =
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:4 master:5 - cgroup2 cgroup2 rw\n";

std::uint64_t inode_of(const std::filesystem::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_ino;
}

}  // namespace

TEST_CASE("the cgroup2 mount is found wherever it is") {
  Machine machine;
  machine.set_mountinfo(kHybrid);
  CHECK(cgroup2_mount(machine.proc()) == "/sys/fs/cgroup/unified");
  machine.set_mountinfo("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n");
  CHECK(cgroup2_mount(machine.proc()) == "/sys/fs/cgroup");
  machine.set_mountinfo("30 23 0:26 / /mnt/my\\040cgroups rw - cgroup2 none rw\n");
  CHECK(cgroup2_mount(machine.proc()) == "/mnt/my cgroups");
}

TEST_CASE("of several cgroup2 mounts the visible and whole one is taken") {
  Machine machine;
  machine.set_mountinfo(std::string{kHybrid} + "50 23 0:22 / /sys rw - sysfs sysfs rw\n"
                        "51 50 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  CHECK(cgroup2_mount(machine.proc()) == "/sys/fs/cgroup");
  machine.set_mountinfo("40 23 0:38 /docker/a /run/part rw - cgroup2 cgroup2 rw\n"
                        "41 23 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  CHECK(cgroup2_mount(machine.proc()) == "/sys/fs/cgroup");
}

TEST_CASE("a machine without cgroup2 is told so") {
  Machine machine;
  machine.set_mountinfo("32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
  const auto mount = cgroup2_mount(machine.proc());
  REQUIRE_FALSE(mount);
  CHECK(mount.error().code == ErrorCode::kUnsupported);
}

TEST_CASE("a process's cgroup is its v2 line among those of v1") {
  Machine machine;
  machine.add_process(7, "app", "/docker/x", 5);
  CHECK(cgroup_of_pid(7, machine.proc()) == "/docker/x");
  CHECK(cgroup_of_pid(8, machine.proc()).error().code == ErrorCode::kNotFound);
  Machine::write(machine.proc() / "9/cgroup", "9:name=systemd:/\n1:cpu:/docker/x\n");
  CHECK(cgroup_of_pid(9, machine.proc()).error().code == ErrorCode::kUnsupported);
}

TEST_CASE("a pid gives its cgroup, level and network namespace") {
  Machine machine;
  machine.add_process(7, "app", "/system.slice/app.service", 5);
  const Target target = resolved(machine, drill::PidTarget{7});
  CHECK(target.runtime == "pid");
  CHECK(target.pid == 7);
  CHECK(target.cgroup_path == machine.mount() / "system.slice/app.service");
  CHECK(target.cgroup_id == inode_of(target.cgroup_path));
  CHECK(target.cgroup_level == 2);
  CHECK(target.netns_inode == 5);
  CHECK_FALSE(target.host_network);
  machine.add_process(8, "app", "/other", kHostNetns);
  CHECK(resolved(machine, drill::PidTarget{8}).host_network);
  CHECK(refused(machine, drill::PidTarget{9999}).code == ErrorCode::kNotFound);
}

TEST_CASE("cgroups that hold the machine or brownout itself are refused") {
  Machine machine;
  machine.add_process(1, "init", "/", kHostNetns);
  CHECK(refused(machine, drill::PidTarget{1}).code == ErrorCode::kRefused);
  CHECK(refused(machine, drill::CgroupTarget{"/"}).code == ErrorCode::kRefused);
  CHECK(refused(machine, drill::CgroupTarget{machine.mount()}).code == ErrorCode::kRefused);
  CHECK(refused(machine, drill::PidTarget{kOwnPid}).code == ErrorCode::kRefused);
  machine.add_process(kOwnPid, "brownout", "/user.slice/session", kHostNetns);
  Machine::write(machine.mount() / "operator/cgroup.procs", "");
  CHECK(refused(machine, drill::CgroupTarget{"/user.slice"}).code == ErrorCode::kRefused);
  CHECK(refused(machine, drill::CgroupTarget{"/user.slice/session"}).what.contains("holds brownout itself"));
  machine.add_process(7, "app", "/user.slice/session-2", 5); // its name begins like ours
  CHECK(resolved(machine, drill::CgroupTarget{"/user.slice/session-2"}).pid == 7);
}

TEST_CASE("brownout in the root cgroup may hit any other") {
  Machine machine;
  machine.add_process(kOwnPid, "brownout", "/", kHostNetns);
  machine.add_process(7, "app", "/app", 5);
  CHECK(resolved(machine, drill::PidTarget{7}).cgroup_level == 1);
}

TEST_CASE("a cgroup is named by its directory or by its path") {
  Machine machine;
  machine.add_process(30, "b", "/pods/a/inner", 5);
  machine.add_process(20, "a", "/pods/a", 5);
  for (const auto& path : {machine.mount() / "pods/a", std::filesystem::path{"/pods/a"}, machine.mount() / "pods/a/"}) {
    INFO(path);
    const Target target = resolved(machine, drill::CgroupTarget{path});
    CHECK(target.runtime == "cgroup");
    CHECK(target.cgroup_path == machine.mount() / "pods/a");
    CHECK(target.pid == 20);
    CHECK(target.netns_inode == 5);
  }
  // A process further down is enough.
  CHECK(resolved(machine, drill::CgroupTarget{"/pods"}).pid == 20);
}

TEST_CASE("a cgroup without a process, without existence or with two networks is an error that says so") {
  Machine machine;
  machine.make_cgroup("/empty");
  const Error empty = refused(machine, drill::CgroupTarget{"/empty"});
  CHECK(empty.code == ErrorCode::kNotFound);
  CHECK(empty.what.contains("no process"));
  const Error absent = refused(machine, drill::CgroupTarget{"/absent"});
  CHECK(absent.code == ErrorCode::kNotFound);
  CHECK(absent.hint.contains(machine.mount().string()));
  machine.add_process(7, "a", "/pods/a", 5);
  machine.add_process(8, "b", "/pods/b", 6);
  const Error two = refused(machine, drill::CgroupTarget{"/pods"});
  CHECK(two.code == ErrorCode::kAmbiguous);
  CHECK(two.what.contains("net:[5] of pid 7, net:[6] of pid 8"));
}

TEST_CASE("a mount of a part of the hierarchy keeps true levels") {
  Machine machine;
  machine.set_mountinfo(Machine::mount_line("/host/part", machine.mount()));
  machine.add_process(kOwnPid, "brownout", "/me", kHostNetns, "/host/part/me");
  Machine::write(machine.mount() / "operator/cgroup.procs", "");
  machine.add_process(7, "app", "/app", 5, "/host/part/app");
  const Target target = resolved(machine, drill::PidTarget{7});
  CHECK(target.cgroup_path == machine.mount() / "app");
  CHECK(target.cgroup_level == 3);
  CHECK(resolved(machine, drill::CgroupTarget{"/host/part/app"}).cgroup_level == 3);
  machine.add_process(8, "other", "/hidden", 5, "/elsewhere");
  Machine::write(machine.mount() / "hidden/cgroup.procs", "");
  CHECK(refused(machine, drill::PidTarget{8}).code == ErrorCode::kNotFound);
}

TEST_CASE("from within a cgroup namespace levels count from the true root") {
  Machine machine;
  machine.set_cgroup_namespace(4026532183);
  machine.add_process(2, "kthreadd", "/", kHostNetns, "/../..");
  machine.add_process(7, "app", "/app", 5);
  CHECK(resolved(machine, drill::PidTarget{7}).cgroup_level == 3);
  // The mount came from outside: "/.." says how far up, the search finds what it is called.
  machine.set_mountinfo(Machine::mount_line("/../..", machine.mount()));
  machine.add_process(8, "app", "/ours/jail/app", 5, "/app");
  machine.add_process(9, "app", "/theirs", 5, "/../../theirs");
  CHECK(resolved(machine, drill::PidTarget{8}).cgroup_path == machine.mount() / "ours/jail/app");
  CHECK(resolved(machine, drill::PidTarget{8}).cgroup_level == 3);
  CHECK(resolved(machine, drill::PidTarget{9}).cgroup_level == 1);
}

TEST_CASE("a cgroup namespace of unknown depth is refused, not guessed") {
  Machine machine;
  machine.set_cgroup_namespace(4026532183);
  machine.add_process(2, "sh", "/", kHostNetns);
  machine.add_process(7, "app", "/app", 5);
  CHECK(refused(machine, drill::PidTarget{7}).code == ErrorCode::kUnsupported);
}

TEST_CASE("members and neighbours of a target") {
  Machine machine;
  machine.add_process(30, "worker", "/app/workers", 5);
  machine.add_process(20, "main", "/app", 5);
  machine.add_process(40, "sidecar", "/sidecar", 5);
  machine.add_process(41, "sidecar-2", "/sidecar", 5);
  machine.add_process(50, "other", "/other", 6);
  const Target target = resolved(machine, drill::CgroupTarget{"/app"});
  const auto members = processes(target, machine.proc());
  REQUIRE(members);
  REQUIRE(members->size() == 2);
  CHECK(members->at(0).pid == 20);
  CHECK(members->at(0).comm == "main");
  CHECK(members->at(1).cgroup == machine.mount() / "app/workers");
  const auto neighbours = netns_neighbours(target, machine.proc());
  REQUIRE(neighbours.size() == 1);
  CHECK(neighbours[0].pid == 40);
  CHECK(neighbours[0].cgroup == "/sidecar");
  std::filesystem::remove_all(machine.mount() / "app");
  CHECK_FALSE(processes(target, machine.proc()));
}

TEST_CASE("a target is written with all that was found") {
  Machine machine;
  machine.add_process(7, "app", "/app", 5);
  const auto json = to_json(resolved(machine, drill::PidTarget{7}));
  CHECK(json.at("runtime") == "pid");
  CHECK(json.at("cgroup_level") == 1);
  CHECK(json.at("netns_inode") == 5);
  CHECK(json.at("host_network") == false);
  CHECK(json.at("labels").is_object());
}

}  // namespace target_cgroup_test
