// SPDX-License-Identifier: MIT
#include "choose.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace brownout::target {
namespace {

struct Runtime {
  std::string_view name;
  Answer (*ask)(const drill::ContainerTarget&, const Surroundings&);
  bool has_labels = false;
  bool has_root = false; // asked when the drill names a state directory and no runtime
  bool has_namespaces = false;
};

// Those that run their containers by another of them come first: the same process under two names is one container, and
// the first one's words for it are those that people know.
constexpr Runtime kContainerRuntimes[] = {
    {.name = "docker", .ask = ask_docker, .has_labels = true},
    {.name = "podman", .ask = ask_podman, .has_labels = true},
    {.name = "containerd", .ask = ask_containerd, .has_labels = true, .has_namespaces = true},
    {.name = "runc", .ask = ask_runc, .has_root = true},
    {.name = "crun", .ask = ask_crun, .has_root = true},
    {.name = "lxc", .ask = ask_lxc},
    {.name = "nspawn", .ask = ask_nspawn},
};

bool is_asked(const Runtime& runtime, const drill::ContainerTarget& wanted) {
  if (wanted.runtime != "auto") return wanted.runtime == runtime.name;
  return (wanted.labels.empty() || runtime.has_labels) && (wanted.root.empty() || runtime.has_root) &&
         (wanted.containerd_namespace.empty() || runtime.has_namespaces);
}

std::vector<Answer> ask_all(const drill::ContainerTarget& wanted, const Surroundings& surroundings) {
  std::vector<Answer> answers;
  for (const auto& runtime : kContainerRuntimes)
    if (is_asked(runtime, wanted)) answers.push_back(runtime.ask(wanted, surroundings));
  return answers;
}

std::unexpected<Error> fail_unknown(const drill::ContainerTarget& wanted, const std::vector<Answer>& answers) {
  std::vector<std::string> asked;
  for (const auto& answer : answers) asked.push_back(fmt::format("{}: {}", answer.runtime, answer.reason));
  auto failure = fail(ErrorCode::kNotFound, fmt::format("no container runtime knows '{}'", drill::shown(wanted)),
                      "check the name and the runtime; containers of runc, crun and lxc may need `root` in the drill");
  failure.error().context = std::move(asked);
  return failure;
}

std::unexpected<Error> fail_ambiguous(const drill::ContainerTarget& wanted, const std::vector<Container>& known) {
  std::vector<std::string> who;
  for (const auto& container : known)
    who.push_back(
        fmt::format("{}: id {}, {}, pid {}", container.runtime, container.id, container.state, container.pid));
  const bool one_runtime = known.front().runtime == known.back().runtime;
  auto failure = fail(ErrorCode::kAmbiguous, fmt::format("'{}' is more than one container", drill::shown(wanted)),
                      one_runtime ? std::string{"name one of them by its id"}
                                  : fmt::format("write runtime: {} in the drill's target, or the other one", known.front().runtime));
  failure.error().context = std::move(who);
  return failure;
}

// Labels stay with containers that have ended: as long as one runs, those are not meant.
void leave_out_ended(std::vector<Container>& known) {
  if (std::ranges::any_of(known, &Container::running)) std::erase_if(known, [](const auto& one) { return !one.running; });
}

}  // namespace

Result<Container> find_container(const drill::ContainerTarget& wanted, const Surroundings& surroundings) {
  const auto answers = ask_all(wanted, surroundings);
  std::vector<Container> known;
  for (const auto& answer : answers) {
    for (const auto& container : answer.containers) {
      const auto same = [&](const Container& other) { return other.pid != 0 && other.pid == container.pid; };
      if (std::ranges::none_of(known, same)) known.push_back(container);
    }
  }
  if (!wanted.labels.empty()) leave_out_ended(known);
  if (known.empty()) return fail_unknown(wanted, answers);
  if (known.size() > 1) return fail_ambiguous(wanted, known);
  if (!known.front().running)
    return fail(ErrorCode::kNotFound,
                fmt::format("container '{}' is not running: {} says it is {}", drill::shown(wanted), known.front().runtime,
                            known.front().state.empty() ? "not" : known.front().state),
                "start it, and put it under load, before the drill");
  return known.front();
}

}  // namespace brownout::target
