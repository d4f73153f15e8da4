// SPDX-License-Identifier: MIT
// What the host knows of what runs, where the app's manifest says unknown.
#include <catch2/catch_test_macros.hpp>

#include "../../userspace/run/audit.hpp"

namespace run_audit_test {

using namespace brownout;
using nlohmann::json;

namespace {

const std::string kOne(40, '1'), kTwo(40, '2'), kThree(40, '3');

run::AuditInputs unknown_to_app() {
  return {.app_manifest = {{"git_commit", "unknown"}, {"docker_image_tag", "unknown"}},
          .manifest_file = "run_manifest.json"};
}

}  // namespace

TEST_CASE("what nobody knows is unknown, with what was tried") {
  auto inputs = unknown_to_app();
  inputs.provenance.tried = {"docker does not answer"};
  const auto facts = run::audit_facts(inputs);
  for (const char* name : {"git_commit", "docker_image_tag"}) {
    CHECK(facts[name]["value"] == "unknown");
    CHECK(facts[name]["source"].is_null());
    CHECK(facts[name]["tried"].dump().contains(std::string{"run_manifest.json: "} + name + " is \\\"unknown\\\""));
    CHECK(facts[name]["tried"].dump().contains("docker does not answer"));
  }
  CHECK(facts["git_commit"]["tried"].dump().contains("no mount of the container has a .git"));
}

TEST_CASE("the better source comes first, the others are told beside it") {
  auto inputs = unknown_to_app();
  inputs.checkouts = {{.path = "/app", .ref = "refs/heads/main", .commit = kThree}};
  CHECK(run::audit_facts(inputs)["git_commit"] ==
        json{{"value", kThree}, {"source", "the checkout at /app in the container, refs/heads/main"}});
  inputs.provenance.facts = {{"git_commit", kTwo, "docker: the image's label"}};
  CHECK(run::audit_facts(inputs)["git_commit"]["value"] == kTwo);
  inputs.drill_commit = kOne;
  const auto commit = run::audit_facts(inputs)["git_commit"];
  CHECK(commit["value"] == kOne);
  CHECK(commit["source"] == "the drill's app.git_commit");
  REQUIRE(commit["also"].size() == 2);
  CHECK(commit["also"][0]["value"] == kTwo);
  CHECK(commit["also"][1]["value"] == kThree);
  inputs.app_manifest["git_commit"] = "v1.2";
  CHECK(run::audit_facts(inputs)["git_commit"]["value"] == "v1.2");
  CHECK(run::audit_facts(inputs)["git_commit"]["source"] == "the app's run_manifest.json");
}

TEST_CASE("checkouts of different commits do not tell which one runs") {
  auto inputs = unknown_to_app();
  inputs.checkouts = {{.path = "/app", .commit = kOne}, {.path = "/lib", .commit = kTwo}};
  const auto commit = run::audit_facts(inputs)["git_commit"];
  CHECK(commit["value"] == "unknown");
  CHECK(commit["also"].size() == 2);
  inputs.checkouts[1].commit = kOne;
  CHECK(run::audit_facts(inputs)["git_commit"]["value"] == kOne);
}

TEST_CASE("a manifest that lacks the fields, or is none, is as good as unknown") {
  run::AuditInputs inputs{.app_manifest = json::object(), .manifest_file = "run_manifest.json"};
  CHECK(run::audit_facts(inputs)["docker_image_tag"]["tried"].dump().contains("has no docker_image_tag"));
  inputs.app_manifest = nullptr;
  CHECK(run::audit_facts(inputs)["docker_image_tag"]["tried"].dump().contains("there is no manifest of the app"));
}

}  // namespace run_audit_test
