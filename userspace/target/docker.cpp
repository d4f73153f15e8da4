// SPDX-License-Identifier: MIT
// docker through its socket: GET /containers/NAME/json. podman's socket answers the same question.
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include <curl/curl.h>
#include <fmt/format.h>

#include "answer.hpp"

namespace brownout::target {
namespace {

using nlohmann::json;

constexpr long kConnectTimeoutMs = 2'000, kTimeoutMs = 10'000;
constexpr std::size_t kMaxReplyBytes = std::size_t{4} << 20;
constexpr std::size_t kShortestIdPrefix = 12; // what docker itself prints as an id
constexpr std::string_view kDefaultSocket = "unix:///var/run/docker.sock";

struct Reply {
  long status = 0;
  std::string body;
  std::string problem; // no reply at all
};

std::size_t collect(const char* data, std::size_t, std::size_t size, void* body) {
  auto& text = *static_cast<std::string*>(body);
  if (text.size() + size > kMaxReplyBytes) return 0;
  text.append(data, size);
  return size;
}

Reply get(const std::string& socket, const std::string& url) {
  Reply reply;
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl{curl_easy_init(), &curl_easy_cleanup};
  if (!curl) return Reply{.problem = "libcurl could not be started"};
  curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, ""); // whatever the environment says: this is a local socket
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, kTimeoutMs);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &collect);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &reply.body);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) reply.problem = curl_easy_strerror(code);
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &reply.status);
  return reply;
}

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

std::string refusal(const Reply& reply, const std::string& socket, const std::string& name) {
  if (!reply.problem.empty()) return fmt::format("{} does not answer: {}", socket, reply.problem);
  if (reply.status == 404) return fmt::format("{} knows no container '{}'", socket, name);
  const json body = json::parse(reply.body, nullptr, false);
  return fmt::format("{} answers with HTTP status {}: {}", socket, reply.status, text_at(body, "/message"));
}

}  // namespace

Answer ask_docker(const std::string& name, const std::string& docker_host) {
  constexpr std::string_view kScheme = "unix://";
  Answer answer{.runtime = "docker"};
  const std::string host = docker_host_or_default(docker_host);
  if (!host.starts_with(kScheme)) {
    answer.reason = fmt::format("DOCKER_HOST is '{}', not a unix:// socket of this machine", host);
    return answer;
  }
  const std::string socket = host.substr(kScheme.size());
  // No escaping: a drill's container name holds only characters that stand for themselves in a path.
  const Reply reply = get(socket, fmt::format("http://localhost/containers/{}/json", name));
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
