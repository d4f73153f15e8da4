// SPDX-License-Identifier: MIT
// docker through its socket: GET /containers/NAME/json. podman's socket answers the same question.
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "answer.hpp"
#include "brownout/json_fields.hpp"
#include "http_get.hpp"

namespace brownout::target {
namespace {

using nlohmann::json;

constexpr std::string_view kDefaultSocket = "unix:///var/run/docker.sock";
constexpr std::string_view kScheme = "unix://";

std::string docker_host_or_default(const std::string& docker_host) {
  if (!docker_host.empty()) return docker_host;
  const char* environment = std::getenv("DOCKER_HOST");
  return environment != nullptr && *environment != '\0' ? std::string{environment} : std::string{kDefaultSocket};
}

std::string refusal(const HttpReply& reply, const std::string& socket, const std::string& name) {
  if (!reply.problem.empty()) return fmt::format("{} does not answer: {}", socket, reply.problem);
  if (reply.status == 404) return fmt::format("{} knows no container '{}'", socket, name);
  const json body = json::parse(reply.body, nullptr, false);
  return fmt::format("{} answers with HTTP status {}: {}", socket, reply.status, text_at(body, "/message"));
}

Answer by_name(const std::string& name, const std::string& socket) {
  Answer answer{.runtime = "docker"};
  // No escaping: a drill's container name holds only characters that stand for themselves in a path.
  const HttpReply reply = http_get(socket, fmt::format("/containers/{}/json", name));
  if (!reply.problem.empty() || reply.status != 200) {
    answer.reason = refusal(reply, socket, name);
    return answer;
  }
  const json described = json::parse(reply.body, nullptr, false);
  if (text_at(described, "/Id").empty())
    answer.reason = fmt::format("{} answers with something that describes no container", socket);
  else if (!describes(described, name))
    answer.reason = fmt::format("{} has '{}' only as the start of an id; write the name or 12 digits", socket, name);
  else
    answer.containers.push_back(inspected("docker", described));
  return answer;
}

// Of those that run: docker lists no others unless it is asked to.
Answer by_labels(const drill::Labels& labels, const std::string& docker_host, const std::string& socket) {
  Answer answer{.runtime = "docker"};
  const auto listed = get_from_docker("/containers/json", docker_host);
  answer.reason = listed.problem;
  for (const auto& entry : listed.body) {
    if (!carries(object_at(entry, "/Labels"), labels)) continue;
    const auto described = get_from_docker(fmt::format("/containers/{}/json", text_at(entry, "/Id")), docker_host);
    if (described.problem.empty()) answer.containers.push_back(inspected("docker", described.body));
    else answer.reason = described.problem;
  }
  if (answer.containers.empty() && answer.reason.empty())
    answer.reason = fmt::format("{} knows no running container with these labels", socket);
  return answer;
}

}  // namespace

Asked get_from_docker(const std::string& path, const std::string& docker_host) {
  const std::string host = docker_host_or_default(docker_host);
  if (!host.starts_with(kScheme)) return {nullptr, fmt::format("DOCKER_HOST is '{}', not a unix:// socket", host)};
  const std::string socket = host.substr(kScheme.size());
  const HttpReply reply = http_get(socket, path);
  if (!reply.problem.empty()) return {nullptr, fmt::format("{} does not answer {}: {}", socket, path, reply.problem)};
  if (reply.status != 200) return {nullptr, fmt::format("{} answers {} with status {}", socket, path, reply.status)};
  json body = json::parse(reply.body, nullptr, false);
  if (body.is_discarded()) return {nullptr, fmt::format("{} answers {} with something that is no JSON", socket, path)};
  return {std::move(body), ""};
}

Answer ask_docker(const drill::ContainerTarget& wanted, const Surroundings& surroundings) {
  const std::string host = docker_host_or_default(surroundings.docker_host);
  if (!host.starts_with(kScheme))
    return {.runtime = "docker",
            .containers = {},
            .reason = fmt::format("DOCKER_HOST is '{}', not a unix:// socket of this machine", host)};
  const std::string socket = host.substr(kScheme.size());
  return wanted.labels.empty() ? by_name(wanted.name, socket) : by_labels(wanted.labels, host, socket);
}

}  // namespace brownout::target
