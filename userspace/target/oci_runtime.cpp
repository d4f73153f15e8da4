// SPDX-License-Identifier: MIT
// runc and crun: `RUNTIME [--root R] state ID` prints the container as JSON.
#include <filesystem>
#include <limits>

#include <fmt/format.h>

#include "answer.hpp"
#include "brownout/json_fields.hpp"
#include "brownout/subprocess.hpp"

namespace brownout::target {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kDeadline{10'000};

Container read_container(const std::string& runtime, const json& state) {
  Container container{.runtime = runtime};
  container.id = text_at(state, "/id");
  const std::int64_t pid = number_at(state, "/pid");
  if (pid > 0 && pid <= std::numeric_limits<std::int32_t>::max()) container.pid = static_cast<std::int32_t>(pid);
  container.state = text_at(state, "/status");
  container.running = container.state == "running" && container.pid > 0;
  container.labels = object_at(state, "/annotations");
  return container;
}

}  // namespace

Asked oci_state(const std::string& runtime, const std::string& name, const std::string& root,
                const std::string& search_path) {
  const auto program = find_program(runtime, search_path);
  if (!program) return {nullptr, "not installed"};
  std::vector<std::string> arguments;
  if (!root.empty()) arguments = {"--root", root};
  arguments.insert(arguments.end(), {"state", name});
  const auto finished = run_program(*program, arguments, kDeadline);
  if (!finished) return {nullptr, finished.error().render()};
  if (finished->exit_code != 0)
    return {nullptr,
            fmt::format("{} says (exit code {}): {}", program->string(), finished->exit_code, last_line(finished->err))};
  json state = json::parse(finished->out, nullptr, false);
  if (text_at(state, "/id") != name)
    return {nullptr, fmt::format("{} printed something that describes no container '{}'", program->string(), name)};
  return {std::move(state), ""};
}

Answer ask_oci_runtime(const std::string& runtime, const std::string& name, const std::string& root,
                       const std::string& search_path) {
  Answer answer{.runtime = runtime};
  auto state = oci_state(runtime, name, root, search_path);
  if (state.problem.empty()) answer.container = read_container(runtime, state.body);
  else answer.reason = std::move(state.problem);
  return answer;
}

}  // namespace brownout::target
