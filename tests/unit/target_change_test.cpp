// SPDX-License-Identifier: MIT
// What may become of a target in mid-drill, on a machine made of files.
#include <catch2/matchers/catch_matchers_string.hpp>

#include "target_fixture.hpp"

namespace target_change_test {

using namespace brownout;
using namespace brownout::target;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::int32_t kPid = 200;
constexpr std::uint64_t kNetns = 4026532001;

struct Scene {
  Scene() {
    machine.add_process(kPid, "app", "/app", kNetns);
    auto resolved = resolve(drill::PidTarget{kPid}, machine.surroundings());
    if (!resolved) FAIL(resolved.error().render());
    target = *std::move(resolved);
  }
  std::string change() const { return change_of(target, machine.proc()).value_or(""); }
  std::filesystem::path cgroup() const { return machine.mount() / "app"; }

  Machine machine;
  Target target;
};

}  // namespace

TEST_CASE("a target that is as it was found") {
  const Scene scene;
  CHECK(scene.change().empty());
  Machine::write(scene.cgroup() / "cgroup.events", "populated 1\nfrozen 0\n");
  CHECK(scene.change().empty());
}

TEST_CASE("its process ends") {
  const Scene scene;
  std::filesystem::remove_all(scene.machine.proc() / std::to_string(kPid));
  CHECK(scene.change() == "process 200 has ended");
}

TEST_CASE("its process moves to a cgroup below, which is still its own, or to another") {
  Scene scene;
  std::filesystem::resize_file(scene.cgroup() / "cgroup.procs", 0);
  SECTION("below") {
    scene.machine.add_process(kPid, "app", "/app/init", kNetns);
    CHECK(scene.change().empty());
  }
  SECTION("another") {
    scene.machine.add_process(kPid, "app", "/application", kNetns);
    CHECK_THAT(scene.change(), ContainsSubstring("process 200 has moved to cgroup") && ContainsSubstring("/application"));
  }
}

TEST_CASE("its process moves to another network namespace") {
  Scene scene;
  scene.machine.add_process(kPid, "app", "/app", kHostNetns);
  CHECK(scene.change() == "process 200 has moved to network namespace 4026531840");
}

TEST_CASE("its cgroup is removed, made again, emptied or frozen") {
  Scene scene;
  scene.target.runtime = "cgroup";  // of which no single process is looked at
  SECTION("removed") {
    std::filesystem::remove_all(scene.cgroup());
    CHECK_THAT(scene.change(), ContainsSubstring("is gone"));
  }
  SECTION("another of that name") {
    ++scene.target.cgroup_id;
    CHECK_THAT(scene.change(), ContainsSubstring("is gone"));
  }
  SECTION("emptied") {
    Machine::write(scene.cgroup() / "cgroup.events", "populated 0\nfrozen 0\n");
    CHECK_THAT(scene.change(), ContainsSubstring("no process is left in"));
  }
  SECTION("frozen") {
    Machine::write(scene.cgroup() / "cgroup.events", "populated 1\nfrozen 1\n");
    CHECK_THAT(scene.change(), ContainsSubstring("is frozen"));
  }
}

TEST_CASE("beside cgroup v2, the freezer of v1 is looked at as well") {
  Scene scene;
  const auto freezer = scene.machine.folder() / "freezer";
  scene.machine.set_mountinfo(Machine::mount_line("/", scene.machine.mount()) + "37 31 0:34 / " + freezer.string() +
                              " rw,relatime - cgroup cgroup rw,freezer\n");
  Machine::write(scene.machine.proc() / std::to_string(kPid) / "cgroup", "6:freezer:/docker/a\n0::/app\n");
  CHECK(scene.change().empty());
  Machine::write(freezer / "docker/a/freezer.state", "THAWED\n");
  CHECK(scene.change().empty());
  Machine::write(freezer / "docker/a/freezer.state", "FROZEN\n");
  CHECK_THAT(scene.change(), ContainsSubstring("is frozen"));
}

}  // namespace target_change_test
