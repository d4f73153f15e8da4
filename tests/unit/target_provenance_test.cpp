// SPDX-License-Identifier: MIT
// What a runtime says of image and container, for the audit.
#include <algorithm>

#include "brownout/provenance.hpp"
#include "target_docker_server.hpp"
#include "target_fixture.hpp"

namespace target_provenance_test {

using namespace brownout;
using namespace brownout::target;
using nlohmann::json;

namespace {

const std::string kId(64, 'a');
const std::string kImage = "sha256:" + std::string(64, 'b');

std::string value_of(const Provenance& found, const std::string& name) {
  const auto fact = std::ranges::find(found.facts, name, &Fact::name);
  return fact == found.facts.end() ? "" : fact->value;
}

struct DockerMachine : Machine {
  DockerServer docker{folder() / "docker.sock"};
  Target target{.runtime = "docker", .container_id = kId};
  Surroundings where() const {
    Surroundings there = surroundings();
    there.docker_host = docker.host();
    return there;
  }
  void knows_container(const std::string& reference) {
    docker.answers("/containers/" + kId + "/json",
                   {200, json{{"Id", kId},
                              {"Created", "2025-12-23T01:00:00Z"},
                              {"Image", kImage},
                              {"Config", {{"Image", reference}, {"Labels", json::object()}}}}
                             .dump()});
  }
  void knows_image() {
    docker.answers("/images/" + kImage + "/json",
                   {200, json{{"Created", "2025-12-20T00:00:00Z"},
                              {"RepoDigests", {"shop/web@sha256:feed"}},
                              {"RepoTags", {"shop/web:8"}},
                              {"Config",
                               {{"Labels",
                                 {{"org.opencontainers.image.revision", "cafe"},
                                  {"org.opencontainers.image.version", "7.1"},
                                  {"org.opencontainers.image.source", "https://git.example/shop"}}}}}}
                             .dump()});
  }
};

}  // namespace

TEST_CASE("docker tells tag, digest, labels and times of image and container") {
  DockerMachine machine;
  machine.knows_container("registry:5000/shop/web:7");
  machine.knows_image();
  machine.docker.start();
  const auto found = provenance_of(machine.target, drill::ContainerTarget{.name = "web"}, machine.where());
  CHECK(found.tried.empty());
  CHECK(value_of(found, "container_id") == kId);
  CHECK(value_of(found, "container_created") == "2025-12-23T01:00:00Z");
  CHECK(value_of(found, "image") == "registry:5000/shop/web:7");
  CHECK(value_of(found, "image_name") == "registry:5000/shop/web");
  CHECK(value_of(found, "docker_image_tag") == "7");
  CHECK(value_of(found, "image_id") == kImage);
  CHECK(value_of(found, "image_digest") == "shop/web@sha256:feed");
  CHECK(value_of(found, "image_created") == "2025-12-20T00:00:00Z");
  CHECK(value_of(found, "image_version") == "7.1");
  CHECK(value_of(found, "image_source") == "https://git.example/shop");
  CHECK(value_of(found, "git_commit") == "cafe");
}

TEST_CASE("a port is no tag, and a tag that the container does not name is told as the image's of now") {
  DockerMachine machine;
  machine.knows_container("registry:5000/shop/web");
  machine.knows_image();
  machine.docker.start();
  const auto found = provenance_of(machine.target, drill::ContainerTarget{.name = "web"}, machine.where());
  const auto tag = std::ranges::find(found.facts, "docker_image_tag", &Fact::name);
  REQUIRE(tag != found.facts.end());
  CHECK(tag->value == "8");
  CHECK(tag->source == "docker: the image's RepoTags, as they are now");
}

TEST_CASE("a runtime that does not answer is among what was tried") {
  DockerMachine machine;
  machine.docker.start();
  const auto found = provenance_of(machine.target, drill::ContainerTarget{.name = "web"}, machine.where());
  REQUIRE(found.tried.size() == 1);
  CHECK(found.tried[0].contains("status 404"));
  const auto by_pid = provenance_of({.runtime = "pid"}, drill::PidTarget{.pid = 7}, machine.where());
  REQUIRE(by_pid.tried.size() == 1);
  CHECK(by_pid.tried[0].contains("no runtime was asked"));
}

TEST_CASE("an OCI runtime tells when the container was made, and its annotations") {
  Machine machine;
  machine.add_program("runc", "echo '{\"id\":\"web\",\"pid\":9,\"status\":\"running\",\"created\":\"2025-12-23T01:00:00Z\","
                              "\"bundle\":\"/run/web\",\"annotations\":{\"org.opencontainers.image.revision\":\"cafe\"}}'\n");
  const Target target{.runtime = "runc", .container_id = "web"};
  const auto found = provenance_of(target, drill::ContainerTarget{.name = "web"}, machine.surroundings());
  CHECK(found.tried.empty());
  CHECK(value_of(found, "container_created") == "2025-12-23T01:00:00Z");
  CHECK(value_of(found, "container_bundle") == "/run/web");
  CHECK(value_of(found, "git_commit") == "cafe");
}

TEST_CASE("the layer diff is docker's, sorted; others tell none") {
  DockerMachine machine;
  machine.docker.answers("/containers/" + kId + "/changes",
                         {200, R"([{"Path":"/b","Kind":0},{"Path":"/a","Kind":1}])"});
  machine.docker.start();
  const auto diff = layer_diff(machine.target, machine.where());
  CHECK(diff.problem.empty());
  CHECK(diff.changes == json::array({{{"Path", "/a"}, {"Kind", 1}}, {{"Path", "/b"}, {"Kind", 0}}}));
  CHECK(layer_diff({.runtime = "runc", .container_id = "web"}, machine.where()).problem == "runc tells no layer diff");
  CHECK(layer_diff({.runtime = "docker", .container_id = "../x"}, machine.where()).problem ==
        "docker: the container has no id");
}

}  // namespace target_provenance_test
