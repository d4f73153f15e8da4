// SPDX-License-Identifier: MIT
// docker through its socket: GET /containers/NAME/json. podman's socket answers the same question.
#include <cstdlib>
#include <limits>
#include <string>

#include <fmt/format.h>

#include "answer.hpp"
#include "brownout/json_fields.hpp"
#include "http_get.hpp"

namespace brownout::target {
namespace {

using nlohmann::json;

constexpr std::size_t kShortestIdPrefix = 12; // what docker itself prints as an id
constexpr std::string_view kDefaultSocket = "unix:///var/run/docker.sock";

std::string docker_host_or_default(const std::string& docker_host) {
  if (!docker_host.empty()) return docker_host;
  const char* environment = std::getenv("DOCKER_HOST");
  return environment != nullptr && *environment != '\0' ? std::string{environment} : std::string{kDefaultSocket};
}

// docker takes any unambiguous start of an id for a name; a short one is a name that happens to look like it.
bool is_meant(const json& described, const std::string& name) {
  const std::string id = text_at(described, "/Id");
  std::string own_name = text_at(described, "/Name");
  if (own_name.starts_with('/')) own_name.erase(0, 1);
  return own_name == name || (name.size() >= kShortestIdPrefix && id.starts_with(name));
}

Container read_container(const json& described) {
  Container container{.runtime = "docker"};
  container.id = text_at(described, "/Id");
  const std::int64_t pid = number_at(described, "/State/Pid");
  if (pid > 0 && pid <= std::numeric_limits<std::int32_t>::max()) container.pid = static_cast<std::int32_t>(pid);
  container.state = flag_at(described, "/State/Paused") ? "paused" : text_at(described, "/State/Status");
  container.running = flag_at(described, "/State/Running") && !flag_at(described, "/State/Paused") && container.pid > 0;
  container.image = text_at(described, "/Config/Image");
  container.image_digest = text_at(described, "/Image");
  container.labels = object_at(described, "/Config/Labels");
  return container;
}

std::string refusal(const HttpReply& reply, const std::string& socket, const std::string& name) {
  if (!reply.problem.empty()) return fmt::format("{} does not answer: {}", socket, reply.problem);
  if (reply.status == 404) return fmt::format("{} knows no container '{}'", socket, name);
  const json body = json::parse(reply.body, nullptr, false);
  return fmt::format("{} answers with HTTP status {}: {}", socket, reply.status, text_at(body, "/message"));
}

constexpr std::string_view kScheme = "unix://";

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

Answer ask_docker(const std::string& name, const std::string& docker_host) {
  Answer answer{.runtime = "docker"};
  const std::string host = docker_host_or_default(docker_host);
  if (!host.starts_with(kScheme)) {
    answer.reason = fmt::format("DOCKER_HOST is '{}', not a unix:// socket of this machine", host);
    return answer;
  }
  const std::string socket = host.substr(kScheme.size());
  // No escaping: a drill's container name holds only characters that stand for themselves in a path.
  const HttpReply reply = http_get(socket, fmt::format("/containers/{}/json", name));
  if (!reply.problem.empty() || reply.status != 200) {
    answer.reason = refusal(reply, socket, name);
    return answer;
  }
  const json described = json::parse(reply.body, nullptr, false);
  if (text_at(described, "/Id").empty())
    answer.reason = fmt::format("{} answers with something that describes no container", socket);
  else if (!is_meant(described, name))
    answer.reason = fmt::format("{} has '{}' only as the start of an id; write the name or 12 digits", socket, name);
  else
    answer.container = read_container(described);
  return answer;
}

}  // namespace brownout::target
