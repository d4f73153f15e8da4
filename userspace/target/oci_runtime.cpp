// SPDX-License-Identifier: MIT
// runc and crun: `RUNTIME [--root R] state ID` prints the container as JSON.
#include <fmt/format.h>

#include "answer.hpp"
#include "brownout/json_fields.hpp"

namespace brownout::target {
namespace {

using nlohmann::json;

Container read_container(const std::string& runtime, const json& state) {
  Container container{.runtime = runtime};
  container.id = text_at(state, "/id");
  container.pid = pid_of(number_at(state, "/pid"));
  container.state = text_at(state, "/status");
  container.running = container.state == "running" && container.pid > 0;
  container.labels = object_at(state, "/annotations");
  return container;
}

Answer ask(const std::string& runtime, const drill::ContainerTarget& wanted, const Surroundings& surroundings) {
  Answer answer{.runtime = runtime};
  auto state = oci_state(runtime, wanted.name, wanted.root, surroundings.search_path);
  if (state.problem.empty()) answer.containers.push_back(read_container(runtime, state.body));
  else answer.reason = std::move(state.problem);
  return answer;
}

}  // namespace

Asked oci_state(const std::string& runtime, const std::string& name, const std::string& root,
                const std::string& search_path) {
  std::vector<std::string> arguments;
  if (!root.empty()) arguments = {"--root", root};
  arguments.insert(arguments.end(), {"state", name});
  auto state = json_of(ask_program(runtime, arguments, search_path), runtime);
  if (state.problem.empty() && text_at(state.body, "/id") != name)
    return {nullptr, fmt::format("{} describes no container '{}'", runtime, name)};
  return state;
}

Answer ask_runc(const drill::ContainerTarget& wanted, const Surroundings& surroundings) {
  return ask("runc", wanted, surroundings);
}
Answer ask_crun(const drill::ContainerTarget& wanted, const Surroundings& surroundings) {
  return ask("crun", wanted, surroundings);
}

}  // namespace brownout::target
