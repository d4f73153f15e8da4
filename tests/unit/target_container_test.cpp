// SPDX-License-Identifier: MIT
#include <algorithm>

#include "target_docker_server.hpp"
#include "target_fixture.hpp"

namespace target_container_test {

using namespace brownout;
using namespace brownout::target;

namespace {

const std::string kId = "4d3f0b1c2a5968778695a4b3c2d1e0f4d3f0b1c2a5968778695a4b3c2d1e0f00";

nlohmann::json described(std::int32_t pid, const std::string& state) {
  return {{"Id", kId},
          {"Name", "/web"},
          {"Image", "sha256:feed"},
          {"State", {{"Pid", pid}, {"Running", state != "exited"}, {"Paused", state == "paused"}, {"Status", state}}},
          {"Config", {{"Image", "shop/web:7"}, {"Labels", {{"team", "payments"}}}}},
          {"HostConfig", {{"NetworkMode", "default"}}}};
}

// A machine on which docker runs "web" as pid 7.
struct DockerMachine : Machine {
  DockerServer docker{folder() / "docker.sock"};
  DockerMachine() {
    add_process(7, "app", "/docker/" + kId, 5);
    docker.knows("web", {200, described(7, "running").dump()});
    docker.knows("stopped", {200, described(0, "exited").dump()});
  }
  Result<Target> ask(const drill::ContainerTarget& wanted) {
    docker.start();
    return with_docker(wanted);
  }
  Result<Target> with_docker(const drill::ContainerTarget& wanted) const {
    Surroundings where = surroundings();
    where.docker_host = docker.host();
    return resolve(wanted, where);
  }
};

// Prints the container's state as runc does, and fails for every other id; $* goes to a file for the test to see.
std::string runtime_script(const std::string& id, std::int32_t pid, const std::string& status) {
  return "echo \"$*\" > \"$(dirname \"$0\")/arguments\"\n"
         "for last; do :; done\n"
         "if [ \"$last\" != " + id + " ]; then echo 'container does not exist' >&2; exit 1; fi\n"
         "echo '{\"ociVersion\":\"1.0.2\",\"id\":\"" + id + "\",\"pid\":" + std::to_string(pid) +
         ",\"status\":\"" + status + "\",\"annotations\":{\"team\":\"orders\"}}'\n";
}

Error error_of(const Result<Target>& target) {
  REQUIRE_FALSE(target);
  return target.error();
}

bool mentions(const Error& error, const std::string& text) { return error.render().contains(text); }

}  // namespace

TEST_CASE("docker tells pid, id, image and labels by name") {
  DockerMachine machine;
  const auto target = machine.ask({.name = "web"});
  if (!target) FAIL(target.error().render());
  CHECK(target->name == "web");
  CHECK(target->runtime == "docker");
  CHECK(target->container_id == kId);
  CHECK(target->pid == 7);
  CHECK(target->cgroup_path == machine.mount() / "docker" / kId);
  CHECK(target->cgroup_level == 2);
  CHECK(target->image == "shop/web:7");
  CHECK(target->image_digest == "sha256:feed");
  CHECK(target->labels.at("team") == "payments");
}

TEST_CASE("a container whose init moved down keeps its own cgroup") {
  for (const std::string& cgroup :
       {"/docker/" + kId, "/system.slice/docker-" + kId + ".scope", "/parent/libpod-" + kId}) {
    INFO(cgroup);
    DockerMachine machine;
    Machine::write(machine.mount() / "docker" / kId / "cgroup.procs", "");
    machine.add_process(7, "systemd", cgroup + "/init.scope", 5);
    const auto target = machine.ask({.name = "web", .runtime = "docker"});
    if (!target) FAIL(target.error().render());
    CHECK(target->cgroup_path == machine.mount() / cgroup.substr(1));
  }
}

TEST_CASE("a pid that is not in the container's cgroup belongs to somebody else") {
  DockerMachine machine;
  Machine::write(machine.mount() / "docker" / kId / "cgroup.procs", "");
  machine.add_process(7, "sshd", "/system.slice/sshd.service", kHostNetns);
  const Error error = error_of(machine.ask({.name = "web"}));
  CHECK(error.code == ErrorCode::kRefused);
  CHECK(mentions(error, "pid 7"));
}

TEST_CASE("a container that is stopped or paused is not hit") {
  DockerMachine machine;
  machine.docker.knows("paused", {200, described(7, "paused").dump()});
  auto reply = described(0, "exited");
  reply["Name"] = "/stopped";
  machine.docker.knows("stopped", {200, reply.dump()});
  reply = described(7, "paused");
  reply["Name"] = "/paused";
  machine.docker.knows("paused", {200, reply.dump()});
  const Error stopped = error_of(machine.ask({.name = "stopped"}));
  CHECK(stopped.code == ErrorCode::kNotFound);
  CHECK(mentions(stopped, "not running: docker says it is exited"));
  CHECK(mentions(error_of(machine.with_docker({.name = "paused"})), "paused"));
}

TEST_CASE("docker knows containers by 12 digits of their id, not by fewer") {
  DockerMachine machine;
  machine.docker.knows(kId.substr(0, 12), {200, described(7, "running").dump()});
  machine.docker.knows("4d3", {200, described(7, "running").dump()});
  CHECK(machine.ask({.name = kId.substr(0, 12)}));
  CHECK(mentions(error_of(machine.with_docker({.name = "4d3"})), "only as the start of an id"));
}

TEST_CASE("answers of docker that are no container are reasons, not crashes") {
  DockerMachine machine;
  machine.docker.knows("html", {200, "<html>"});
  machine.docker.knows("list", {200, "[1,2]"});
  machine.docker.knows("types", {200, R"({"Id":"x","Name":"/types","State":{"Pid":"7","Running":1},"Config":[]})"});
  machine.docker.knows("broken", {500, R"({"message":"disk full"})"});
  CHECK(mentions(error_of(machine.ask({.name = "html"})), "describes no container"));
  CHECK(mentions(error_of(machine.with_docker({.name = "list"})), "describes no container"));
  CHECK(mentions(error_of(machine.with_docker({.name = "types"})), "not running"));
  CHECK(mentions(error_of(machine.with_docker({.name = "broken"})), "500: disk full"));
}

TEST_CASE("an OCI runtime tells pid and annotations by id") {
  Machine machine;
  machine.add_process(9, "app", "/some-parent/web", 5);
  machine.add_program("runc", runtime_script("web", 9, "running"));
  const auto target = resolve(drill::ContainerTarget{.name = "web", .root = "/run/x"}, machine.surroundings());
  if (!target) FAIL(target.error().render());
  CHECK(target->runtime == "runc");
  CHECK(target->pid == 9);
  CHECK(target->cgroup_path == machine.mount() / "some-parent/web");
  CHECK(target->labels.at("team") == "orders");
  CHECK(target->image.empty());
  CHECK(read_file(machine.folder() / "bin/arguments") == "--root /run/x state web\n");
}

TEST_CASE("a runtime's default root is left to the runtime, and an id need not be in the path") {
  Machine machine;
  machine.add_process(9, "app", "/given/by/hand", 5);
  machine.add_program("crun", runtime_script("web", 9, "running"));
  const auto target = resolve(drill::ContainerTarget{.name = "web", .runtime = "crun"}, machine.surroundings());
  if (!target) FAIL(target.error().render());
  CHECK(target->runtime == "crun");
  CHECK(target->cgroup_path == machine.mount() / "given/by/hand");
  CHECK(read_file(machine.folder() / "bin/arguments") == "state web\n");
}

TEST_CASE("a created or stopped OCI container is not hit") {
  for (const char* status : {"created", "stopped", "paused"}) {
    Machine machine;
    machine.add_program("runc", runtime_script("web", 9, status));
    const Error error = error_of(resolve(drill::ContainerTarget{.name = "web"}, machine.surroundings()));
    CHECK(error.code == ErrorCode::kNotFound);
    CHECK(mentions(error, std::string{"runc says it is "} + status));
  }
}

TEST_CASE("a name that nobody knows lists who was asked and why each said no") {
  Machine machine;
  machine.add_program("runc", runtime_script("other", 9, "running"));
  const Error error = error_of(resolve(drill::ContainerTarget{.name = "web"}, machine.surroundings()));
  CHECK(error.code == ErrorCode::kNotFound);
  REQUIRE(error.context.size() == 7);
  CHECK(error.context[0].starts_with("docker: "));
  CHECK(error.context[0].contains("no.sock does not answer"));
  CHECK(error.context[1] == "podman: not installed");
  CHECK(error.context[2] == "containerd: not installed");
  CHECK(error.context[3].starts_with("runc: "));
  CHECK(error.context[3].contains("(exit code 1): container does not exist"));
  CHECK(error.context[4] == "crun: not installed");
  CHECK(error.context[5] == "lxc: not installed");
  CHECK(error.context[6] == "nspawn: 0 systemd-nspawn processes, none of a machine 'web'");
}

TEST_CASE("a docker on another machine is not asked") {
  Machine machine;
  Surroundings where = machine.surroundings();
  where.docker_host = "tcp://10.0.0.1:2375";
  CHECK(mentions(error_of(resolve(drill::ContainerTarget{.name = "web"}, where)), "not a unix:// socket"));
}

TEST_CASE("a state directory leaves docker out") {
  Machine machine;
  const drill::ContainerTarget wanted{.name = "web", .root = "/run/x"};
  CHECK(error_of(resolve(wanted, machine.surroundings())).context.size() == 2);
}

TEST_CASE("two runtimes that know the name are both listed") {
  DockerMachine machine;
  machine.add_process(9, "app", "/web", 6);
  machine.add_program("runc", runtime_script("web", 9, "running"));
  const Error error = error_of(machine.ask({.name = "web"}));
  CHECK(error.code == ErrorCode::kAmbiguous);
  REQUIRE(error.context.size() == 2);
  CHECK(error.context[0].contains("docker: id " + kId));
  CHECK(error.context[1].contains("runc: id web, running, pid 9"));
  CHECK(machine.with_docker({.name = "web", .runtime = "runc"}).value().pid == 9);
}

TEST_CASE("one process under two runtimes is one container") {
  DockerMachine machine;
  machine.add_program("runc", runtime_script("web", 7, "running"));
  CHECK(machine.ask({.name = "web"}).value().runtime == "docker");
}

TEST_CASE("a runtime that prints nonsense is a reason") {
  Machine machine;
  machine.add_program("runc", "echo '{\"id\": \"another\"}'\n");
  machine.add_program("crun", "echo oops\n");
  const Error error = error_of(resolve(drill::ContainerTarget{.name = "web"}, machine.surroundings()));
  CHECK(error.context[3].contains("describes no container 'web'"));
  CHECK(error.context[4].contains("something that is no JSON"));
}

}  // namespace target_container_test
