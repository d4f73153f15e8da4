// SPDX-License-Identifier: MIT
// podman, containerd, LXC, nspawn, and containers by their labels. Answers are those of the real programs, which
// tests/container/targets.test.sh runs.
#include "target_docker_server.hpp"
#include "target_fixture.hpp"

namespace target_runtimes_test {

using namespace brownout;
using namespace brownout::target;
using nlohmann::json;

namespace {

const std::string kId(64, 'a');
const std::string kOther(64, 'b');

// Answers with the file that is named after the arguments, and fails as podman does where there is none.
void answer(Machine& machine, const std::string& program, const std::string& arguments, const std::string& text) {
  machine.add_program(program, "all=\"$*\"; all=$(echo \"${all#--address * --connect-timeout 3s }\" | tr '/ ' '__')\n"
                               "cat \"$0.$all\" 2>/dev/null || "
                               "{ echo \"$(basename \"$0\"): no such container\" >&2; exit 125; }\n");
  std::string file = program + "." + arguments;
  for (char& c : file)
    if (c == '/' || c == ' ') c = '_';
  Machine::write(machine.folder() / "bin" / file, text);
}

std::string inspected(const std::string& id, const std::string& name, std::int32_t pid, const std::string& ticket) {
  return json::array({{{"Id", id},
                       {"Name", name},
                       {"Image", "feed"},
                       {"State", {{"Pid", pid}, {"Running", true}, {"Paused", false}, {"Status", "running"}}},
                       {"Config", {{"Image", "localhost/web:7"}, {"Labels", {{"ticket", ticket}}}}}}})
      .dump();
}

// There is a container of podman's that runs, of whoever the files of this machine belong to.
void add_conmon(Machine& machine) {
  machine.add_process(6, "conmon", "/conmon", kHostNetns);
  machine.set_command_line(6, {"/usr/bin/conmon", "--api-version", "1", "-c", kId, "-u", kId, "-n", "web", "--", "-n", "db"});
}

void answer_by_ctr(Machine& machine, const std::string& arguments, const std::string& text) {
  Machine::write(machine.folder() / "containerd.sock", "");
  answer(machine, "ctr", arguments, text);
}

void add_containerd_container(Machine& machine, const std::string& name_space, const std::string& id, const json& labels) {
  answer_by_ctr(machine, "--namespace " + name_space + " containers info " + id,
         json{{"ID", id}, {"Image", "docker.io/shop/web:7"}, {"Labels", labels}}.dump());
}

}  // namespace

TEST_CASE("podman's program tells of our own containers, by name and by 12 digits of the id") {
  Machine machine;
  add_conmon(machine);
  machine.add_process(7, "app", "/machine.slice/libpod-" + kId + ".scope/container", 5);
  answer(machine, "podman", "container inspect web", inspected(kId, "web", 7, "OPS-1"));
  answer(machine, "podman", "container inspect " + kId.substr(0, 12), inspected(kId, "web", 7, "OPS-1"));
  answer(machine, "podman", "container inspect aaa", inspected(kId, "web", 7, "OPS-1"));
  const auto target = resolved(machine, drill::ContainerTarget{.name = "web"});
  CHECK(target.runtime == "podman");
  CHECK(target.container_id == kId);
  CHECK(target.cgroup_path.filename() == "libpod-" + kId + ".scope");
  CHECK(target.image == "localhost/web:7");
  CHECK(resolved(machine, drill::ContainerTarget{.name = kId.substr(0, 12)}).pid == 7);
  CHECK(refused(machine, drill::ContainerTarget{.name = "aaa", .runtime = "podman"}).context[0].contains("start of an id"));
  CHECK(refused(machine, drill::ContainerTarget{.name = "db", .runtime = "podman"}).context[0].contains("no such container"));
}

TEST_CASE("a container of another user's podman is found by its conmon") {
  Machine machine;
  add_conmon(machine);
  machine.add_process(7, "app", "/user.slice/libpod-" + kId + ".scope", 5);
  machine.set_parent(7, 6);
  auto where = machine.surroundings();
  where.uid += 1000;
  const auto target = resolve(drill::ContainerTarget{.name = "web"}, where);
  if (!target) FAIL(target.error().render());
  CHECK(target->runtime == "podman");
  CHECK(target->pid == 7);
  CHECK(target->container_id == kId);
  CHECK_FALSE(resolve(drill::ContainerTarget{.name = "db"}, where)); // what is behind "--" is not conmon's
}

TEST_CASE("podman's program, which makes its directories, is not run where it can have nothing to tell") {
  Machine machine;
  machine.add_program("podman", "touch \"$(dirname \"$0\")/ran\"\n");
  const auto error = refused(machine, drill::ContainerTarget{.name = "web", .runtime = "podman"});
  CHECK(error.context[0].contains("no container of user"));
  CHECK_FALSE(std::filesystem::exists(machine.folder() / "bin/ran"));
}

TEST_CASE("containers by labels: all must be there, and more than one container is listed") {
  Machine machine;
  add_conmon(machine);
  machine.add_process(7, "app", "/libpod_parent/libpod-" + kId, 5);
  machine.add_process(8, "app", "/libpod_parent/libpod-" + kOther, 6);
  const std::string listing = "ps --quiet --no-trunc --filter label=ticket=";
  answer(machine, "podman", listing + "OPS-1", kId + "\n");
  answer(machine, "podman", listing + "OPS-2", kId + "\n" + kOther + "\n");
  answer(machine, "podman", "container inspect " + kId, inspected(kId, "web", 7, "OPS-1"));
  CHECK(resolved(machine, drill::ContainerTarget{.runtime = "podman", .labels = {{"ticket", "OPS-1"}}}).name == "ticket=OPS-1");
  answer(machine, "podman", "container inspect " + kId, inspected(kId, "web", 7, "OPS-2"));
  answer(machine, "podman", "container inspect " + kOther, inspected(kOther, "db", 8, "OPS-2"));
  const Error two = refused(machine, drill::ContainerTarget{.labels = {{"ticket", "OPS-2"}}});
  CHECK(two.code == ErrorCode::kAmbiguous);
  REQUIRE(two.context.size() == 2);
  CHECK(two.context[1].contains(kOther));
  CHECK(two.hint.contains("by its id"));
}

TEST_CASE("docker's containers by labels") {
  Machine machine;
  machine.add_process(7, "app", "/docker/" + kId, 5);
  DockerServer docker{machine.folder() / "docker.sock"};
  docker.answers("/containers/json", {200, json::array({{{"Id", kId}, {"Labels", {{"app", "web"}, {"tier", "front"}}}},
                                                        {{"Id", kOther}, {"Labels", {{"app", "web"}}}}})
                                               .dump()});
  docker.knows(kId, {200, json{{"Id", kId}, {"Name", "/x"}, {"State", {{"Pid", 7}, {"Running", true}}}}.dump()});
  docker.start();
  auto where = machine.surroundings();
  where.docker_host = docker.host();
  const auto target = resolve(drill::ContainerTarget{.labels = {{"app", "web"}, {"tier", "front"}}}, where);
  if (!target) FAIL(target.error().render());
  CHECK(target->container_id == kId);
  const auto none = resolve(drill::ContainerTarget{.labels = {{"app", "db"}}}, where);
  REQUIRE_FALSE(none);
  CHECK(none.error().context[0].contains("knows no running container with these labels"));
}

TEST_CASE("containerd is asked in all of its namespaces, or in one") {
  Machine machine;
  machine.add_process(7, "app", "/k8s.io/" + kId, 5);
  answer_by_ctr(machine, "namespaces list --quiet", "default\nk8s.io\n");
  answer_by_ctr(machine, "--namespace default containers list --quiet", "");
  answer_by_ctr(machine, "--namespace k8s.io containers list --quiet", kId + "\n" + kOther + "\n");
  answer_by_ctr(machine, "--namespace k8s.io tasks list", "TASK    PID    STATUS    \n" + kId + "    7    RUNNING\n");
  add_containerd_container(machine, "k8s.io", kId, {{"io.kubernetes.pod.name", "web-0"}});
  add_containerd_container(machine, "k8s.io", kOther, json::object());
  const auto target = resolved(machine, drill::ContainerTarget{.name = kId.substr(0, 13)});
  CHECK(target.runtime == "containerd");
  CHECK(target.container_id == kId);
  CHECK(target.image == "docker.io/shop/web:7");
  CHECK(target.labels.at("io.kubernetes.pod.name") == "web-0");
  CHECK(resolved(machine, drill::ContainerTarget{.name = kId, .containerd_namespace = "k8s.io"}).pid == 7);
  CHECK(refused(machine, drill::ContainerTarget{.name = kId, .containerd_namespace = "default"}).code == ErrorCode::kNotFound);
  CHECK(refused(machine, drill::ContainerTarget{.name = kOther}).what.contains("containerd says it is without a task"));
}

TEST_CASE("a name is not the start of another name, however long") {
  Machine machine;
  machine.add_process(7, "app", "/default/prometheus-quant-2", 5);
  answer_by_ctr(machine, "namespaces list --quiet", "default\n");
  answer_by_ctr(machine, "--namespace default containers list --quiet", "prometheus-quant-2\n");
  answer_by_ctr(machine, "--namespace default tasks list", "TASK PID STATUS\nprometheus-quant-2 7 RUNNING\n");
  add_containerd_container(machine, "default", "prometheus-quant-2", json::object());
  CHECK(refused(machine, drill::ContainerTarget{.name = "prometheus-quant"}).code == ErrorCode::kNotFound);
  CHECK(resolved(machine, drill::ContainerTarget{.name = "prometheus-quant-2"}).pid == 7);
}

TEST_CASE("a pod's container is the one with the kubelet's labels, and not one that has ended") {
  Machine machine;
  machine.add_process(7, "app", "/k8s.io/" + kId, 5);
  answer_by_ctr(machine, "namespaces list --quiet", "k8s.io\n");
  answer_by_ctr(machine,
         "--namespace k8s.io containers list --quiet labels.\"io.kubernetes.container.name\"==\"app\","
         "labels.\"io.kubernetes.pod.name\"==\"web-0\",labels.\"io.kubernetes.pod.namespace\"==\"shop\"",
         kOther + "\n" + kId + "\n");
  answer_by_ctr(machine, "--namespace k8s.io tasks list", "TASK PID STATUS\n" + kOther + " 6 STOPPED\n" + kId + " 7 RUNNING\n");
  add_containerd_container(machine, "k8s.io", kId, json::object());
  add_containerd_container(machine, "k8s.io", kOther, json::object());
  const auto target = resolved(machine, drill::PodTarget{"shop", "web-0", "app"});
  CHECK(target.name == "shop/web-0/app");
  CHECK(target.container_id == kId);
}

TEST_CASE("LXC tells state and pid, and its payload is the target") {
  Machine machine;
  machine.add_process(7, "init", "/lxc.payload.web/init.scope", 5);
  answer(machine, "lxc-info", "--name web --state --no-humanize --lxcpath /srv/lxc", "RUNNING\n");
  answer(machine, "lxc-info", "--name web --pid --no-humanize --lxcpath /srv/lxc", "7\n");
  answer(machine, "lxc-info", "--name web --state --no-humanize", "STOPPED\n");
  const auto target = resolved(machine, drill::ContainerTarget{.name = "web", .runtime = "lxc", .root = "/srv/lxc"});
  CHECK(target.pid == 7);
  CHECK(target.cgroup_path == machine.mount() / "lxc.payload.web");
  CHECK(refused(machine, drill::ContainerTarget{.name = "web"}).what.contains("lxc says it is STOPPED"));
}

TEST_CASE("an nspawn machine is the child of the process that is called so, without that process") {
  Machine machine;
  machine.add_process(6, "systemd-nspawn", "/machine.slice/machine-web.scope/supervisor", kHostNetns);
  machine.set_command_line(6, {"systemd-nspawn", "--quiet", "--machine=web", "-D", "/srv/other"});
  machine.add_process(7, "systemd", "/machine.slice/machine-web.scope/payload/init.scope", 5);
  machine.set_parent(7, 6);
  machine.add_process(8, "systemd-nspawn", "/db/supervisor", kHostNetns);
  machine.set_command_line(8, {"systemd-nspawn", "-D", "/srv/db/"});
  machine.add_process(9, "app", "/db/payload", 6);
  machine.set_parent(9, 8);
  const auto target = resolved(machine, drill::ContainerTarget{.name = "web"});
  CHECK(target.runtime == "nspawn");
  CHECK(target.cgroup_path == machine.mount() / "machine.slice/machine-web.scope/payload");
  CHECK(resolved(machine, drill::ContainerTarget{.name = "db"}).pid == 9);
}

TEST_CASE("a unit is the cgroup that is named after it") {
  Machine machine;
  machine.add_process(7, "app", "/system.slice/web.service", 5);
  machine.add_process(8, "app", "/user.slice/user-1.slice/db.service", 5);
  machine.add_process(9, "app", "/user.slice/user-2.slice/db.service", 5);
  machine.make_cgroup("/system.slice/idle.service");
  const auto target = resolved(machine, drill::UnitTarget{"web.service"});
  CHECK(target.runtime == "systemd");
  CHECK(target.name == "web.service");
  CHECK(target.pid == 7);
  const Error two = refused(machine, drill::UnitTarget{"db.service"});
  CHECK(two.code == ErrorCode::kAmbiguous);
  CHECK(two.context.size() == 2);
  CHECK(refused(machine, drill::UnitTarget{"cache.service"}).hint.contains("systemctl status"));
  CHECK(refused(machine, drill::UnitTarget{"idle.service"}).what.contains("no process lives in"));
}

TEST_CASE("a network namespace is its processes, which must have a cgroup of their own") {
  Machine machine;
  machine.add_process(7, "app", "/pod/app", 5);
  machine.add_process(8, "proxy", "/pod/proxy", 5);
  machine.add_process(9, "other", "/other", 6);
  const auto path_of = [&](int pid) { return machine.proc() / std::to_string(pid) / "ns/net"; };
  const auto target = resolved(machine, drill::NetnsTarget{path_of(8)});
  CHECK(target.runtime == "netns");
  CHECK(target.pid == 7);
  CHECK(target.cgroup_path == machine.mount() / "pod");
  CHECK(refused(machine, drill::NetnsTarget{path_of(kOwnPid)}).code == ErrorCode::kRefused);
  std::filesystem::remove(path_of(9)); // a process that may not be looked at is not one of its
  CHECK(resolved(machine, drill::NetnsTarget{path_of(7)}).pid == 7);
  machine.add_process(10, "stray", "/other", 5);
  const Error shared = refused(machine, drill::NetnsTarget{path_of(7)});
  CHECK(shared.code == ErrorCode::kAmbiguous);
  CHECK(shared.context.size() == 3);
  Machine::write(machine.folder() / "file", "");
  CHECK(refused(machine, drill::NetnsTarget{machine.folder() / "file"}).what.contains("is no network namespace"));
}

}  // namespace target_runtimes_test
