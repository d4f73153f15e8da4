// SPDX-License-Identifier: MIT
// containerd through ctr, which comes with it. Kubernetes' containers are in the namespace k8s.io, under ids, with labels that
// say pod and container.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <sstream>

#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "answer.hpp"
#include "brownout/json_fields.hpp"
#include "brownout/subprocess.hpp"

namespace brownout::target {
namespace {

using nlohmann::json;

class Ctr {
 public:
  Ctr(const drill::ContainerTarget& wanted, const Surroundings& surroundings)
      : search_path_(surroundings.search_path), socket_(socket_of(surroundings)) {
    // ctr would wait for a socket that is not there.
    if (::access(socket_.c_str(), F_OK) != 0) {
      problem_ = find_program("ctr", search_path_) ? fmt::format("there is no {}", socket_) : "not installed";
      return;
    }
    if (!wanted.containerd_namespace.empty()) {
      namespaces_ = {wanted.containerd_namespace};
      return;
    }
    namespaces_ = lines_of(ask({"namespaces", "list", "--quiet"}).text);
  }

  const std::vector<std::string>& namespaces() const { return namespaces_; }
  // The last that went wrong.
  const std::string& problem() const { return problem_; }

  // All ids, or those that a filter of containerd's lets through.
  std::vector<std::string> ids(const std::string& name_space, const std::string& filter) {
    std::vector<std::string> arguments{"containers", "list", "--quiet"};
    if (!filter.empty()) arguments.push_back(filter);
    return lines_of(ask_in(name_space, std::move(arguments)).text);
  }
  Asked info(const std::string& name_space, const std::string& id) {
    return json_of(ask_in(name_space, {"containers", "info", id}), "ctr");
  }
  // Sets pid and state by the line "ID PID STATUS"; without one nothing runs.
  void add_task(const std::string& name_space, Container& container) {
    container.state = "without a task";
    for (const auto& line : lines_of(ask_in(name_space, {"tasks", "list"}).text)) {
      std::istringstream columns{line};
      std::string id, status;
      std::int64_t pid = 0;
      if (!(columns >> id >> pid >> status) || id != container.id) continue;
      std::ranges::transform(status, status.begin(), [](unsigned char c) { return std::tolower(c); });
      container.pid = pid_of(pid);
      container.running = status == "running" && container.pid > 0;
      container.state = std::move(status);
    }
  }

 private:
  static std::string socket_of(const Surroundings& surroundings) {
    if (!surroundings.containerd.empty()) return surroundings.containerd;
    const char* environment = std::getenv("CONTAINERD_ADDRESS");
    return environment != nullptr && *environment != '\0' ? environment : "/run/containerd/containerd.sock";
  }
  Said ask_in(const std::string& name_space, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--namespace", name_space});
    return ask(std::move(arguments));
  }
  Said ask(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--address", socket_, "--connect-timeout", "3s"});
    auto said = ask_program("ctr", arguments, search_path_);
    if (!said.problem.empty()) problem_ = said.problem;
    return said;
  }

  std::string search_path_, socket_;
  std::vector<std::string> namespaces_;
  std::string problem_;
};

// All of them must hold: parts of one filter are joined by commas. Keys and values have neither quotes nor backslashes.
std::string filter_of(const drill::Labels& labels) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : labels) parts.push_back(fmt::format("labels.\"{}\"==\"{}\"", name, value));
  return fmt::format("{}", fmt::join(parts, ","));
}

bool is_meant(const drill::ContainerTarget& wanted, const std::string& id) {
  return wanted.name.empty() || id == wanted.name || is_start_of_id(wanted.name, id);
}

}  // namespace

Asked containerd_info(const std::string& id, const drill::ContainerTarget& wanted, const Surroundings& surroundings) {
  Ctr ctr{wanted, surroundings};
  for (const auto& name_space : ctr.namespaces())
    if (auto info = ctr.info(name_space, id); info.problem.empty()) return info;
  return {nullptr, ctr.problem()};
}

Answer ask_containerd(const drill::ContainerTarget& wanted, const Surroundings& surroundings) {
  Answer answer{.runtime = "containerd"};
  Ctr ctr{wanted, surroundings};
  for (const auto& name_space : ctr.namespaces()) {
    for (const auto& id : ctr.ids(name_space, filter_of(wanted.labels))) {
      if (!is_meant(wanted, id)) continue;
      const auto info = ctr.info(name_space, id);
      if (!info.problem.empty()) continue;
      Container container{.runtime = "containerd", .id = id, .image = text_at(info.body, "/Image")};
      container.labels = object_at(info.body, "/Labels");
      ctr.add_task(name_space, container);
      answer.containers.push_back(std::move(container));
    }
  }
  if (!answer.containers.empty()) return answer;
  answer.reason = !ctr.problem().empty()
                      ? ctr.problem()
                      : fmt::format("ctr knows none in the namespaces {}", fmt::join(ctr.namespaces(), ", "));
  return answer;
}

}  // namespace brownout::target
