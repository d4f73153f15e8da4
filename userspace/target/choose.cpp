// SPDX-License-Identifier: MIT
#include "choose.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace brownout::target {
namespace {

// A state directory belongs to runc or crun, so docker is not asked when the drill names one.
std::vector<std::string> runtimes_to_ask(const drill::ContainerTarget& wanted) {
  if (wanted.runtime != "auto") return {wanted.runtime};
  if (!wanted.root.empty()) return {"runc", "crun"};
  return {"docker", "runc", "crun"};
}

std::vector<Answer> ask_all(const drill::ContainerTarget& wanted, const Surroundings& surroundings) {
  std::vector<Answer> answers;
  for (const std::string& runtime : runtimes_to_ask(wanted))
    answers.push_back(runtime == "docker"
                          ? ask_docker(wanted.name, surroundings.docker_host)
                          : ask_oci_runtime(runtime, wanted.name, wanted.root, surroundings.search_path));
  return answers;
}

std::unexpected<Error> fail_unknown(const drill::ContainerTarget& wanted, const std::vector<Answer>& answers) {
  std::vector<std::string> asked;
  for (const auto& answer : answers) asked.push_back(fmt::format("{}: {}", answer.runtime, answer.reason));
  auto failure = fail(ErrorCode::kNotFound, fmt::format("no container runtime knows '{}'", wanted.name),
                      "check the name and the runtime; containers of runc and crun may need `root` in the drill");
  failure.error().context = std::move(asked);
  return failure;
}

std::unexpected<Error> fail_ambiguous(const drill::ContainerTarget& wanted, const std::vector<Container>& known) {
  std::vector<std::string> who;
  for (const auto& container : known)
    who.push_back(
        fmt::format("{}: id {}, {}, pid {}", container.runtime, container.id, container.state, container.pid));
  auto failure = fail(ErrorCode::kAmbiguous, fmt::format("more than one runtime knows '{}'", wanted.name),
                      fmt::format("write runtime: {} in the drill's target, or the other one", known.front().runtime));
  failure.error().context = std::move(who);
  return failure;
}

}  // namespace

Result<Container> find_container(const drill::ContainerTarget& wanted, const Surroundings& surroundings) {
  const auto answers = ask_all(wanted, surroundings);
  std::vector<Container> known;
  for (const auto& answer : answers) {
    if (!answer.container) continue;
    // docker runs its containers with runc: the same process under two names is one container.
    const auto same = [&](const Container& other) { return other.pid != 0 && other.pid == answer.container->pid; };
    if (std::ranges::none_of(known, same)) known.push_back(*answer.container);
  }
  if (known.empty()) return fail_unknown(wanted, answers);
  if (known.size() > 1) return fail_ambiguous(wanted, known);
  if (!known.front().running)
    return fail(ErrorCode::kNotFound,
                fmt::format("container '{}' is not running: {} says it is {}", wanted.name, known.front().runtime,
                            known.front().state.empty() ? "not" : known.front().state),
                "start it, and put it under load, before the drill");
  return known.front();
}

}  // namespace brownout::target
