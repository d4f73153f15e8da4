// SPDX-License-Identifier: MIT
// podman has no daemon: its program is asked for our own user's containers. Those of other users are in storage of their own,
// which that program does not see. Each container that runs has a conmon process, which says whose it is.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "answer.hpp"
#include "brownout/json_fields.hpp"
#include "brownout/subprocess.hpp"
#include "supervisors.hpp"

namespace brownout::target {
namespace {

using nlohmann::json;

std::vector<std::string> listing(const drill::Labels& labels) {
  std::vector<std::string> arguments{"ps", "--quiet", "--no-trunc"};
  for (const auto& [name, value] : labels)
    arguments.insert(arguments.end(), {"--filter", fmt::format("label={}={}", name, value)});
  return arguments;
}

// The program makes its directories when it has none: it is not run where it can have nothing to tell.
bool may_know_any(const Surroundings& surroundings) {
  return std::ranges::any_of(supervisors("conmon", surroundings.proc),
                             [&](const Supervisor& conmon) { return conmon.uid == surroundings.uid; });
}

Answer ask_by_labels(const drill::Labels& labels, const std::string& search_path) {
  Answer answer{.runtime = "podman"};
  const auto listed = ask_program("podman", listing(labels), search_path);
  answer.reason = listed.problem;
  for (const auto& id : lines_of(listed.text)) {
    const auto described = inspect_by_podman("container", id, search_path);
    if (!described.problem.empty()) answer.reason = described.problem;
    else if (carries(object_at(described.body, "/Config/Labels"), labels))
      answer.containers.push_back(inspected("podman", described.body));
  }
  if (answer.containers.empty() && answer.reason.empty()) answer.reason = "podman knows no running container with these labels";
  return answer;
}

Answer ask_by_name(const std::string& name, const std::string& search_path) {
  Answer answer{.runtime = "podman"};
  const auto described = inspect_by_podman("container", name, search_path);
  if (!described.problem.empty()) answer.reason = described.problem;
  else if (describes(described.body, name)) answer.containers.push_back(inspected("podman", described.body));
  else answer.reason = fmt::format("podman has '{}' only as the start of an id; write the name or 12 digits", name);
  return answer;
}

// conmon's child is the container's init.
std::vector<Container> of_other_users(const std::string& name, const Surroundings& surroundings) {
  std::vector<Container> found;
  for (const auto& conmon : supervisors("conmon", surroundings.proc)) {
    const auto id = conmon.option("-c", "--cid").value_or("");
    if (conmon.uid == surroundings.uid || (conmon.option("-n", "--name") != name && !is_start_of_id(name, id))) continue;
    Container container{.runtime = "podman", .id = id, .pid = first_child_of(conmon.pid, surroundings.proc)};
    container.state = fmt::format("of user {}", conmon.uid);
    container.running = container.pid > 0;
    found.push_back(std::move(container));
  }
  return found;
}

}  // namespace

Asked inspect_by_podman(const std::string& sort, const std::string& name, const std::string& search_path) {
  auto asked = json_of(ask_program("podman", {sort, "inspect", name}, search_path), "podman");
  if (!asked.problem.empty()) return asked;
  if (!asked.body.is_array() || asked.body.size() != 1 || text_at(asked.body[0], "/Id").empty())
    return {nullptr, fmt::format("podman answers with something that describes no {}", sort)};
  return {json(asked.body[0]), ""};
}

Answer ask_podman(const drill::ContainerTarget& wanted, const Surroundings& surroundings) {
  Answer answer{.runtime = "podman"};
  if (!find_program("podman", surroundings.search_path)) answer.reason = "not installed";
  else if (!may_know_any(surroundings)) answer.reason = fmt::format("no container of user {} runs", surroundings.uid);
  else if (wanted.labels.empty()) answer = ask_by_name(wanted.name, surroundings.search_path);
  else answer = ask_by_labels(wanted.labels, surroundings.search_path);
  if (wanted.labels.empty()) std::ranges::move(of_other_users(wanted.name, surroundings), std::back_inserter(answer.containers));
  return answer;
}

}  // namespace brownout::target
