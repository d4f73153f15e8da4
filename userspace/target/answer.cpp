// SPDX-License-Identifier: MIT
// What the answers of runtimes have in common.
#include "answer.hpp"

#include <algorithm>
#include <limits>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "brownout/json_fields.hpp"
#include "brownout/subprocess.hpp"

namespace brownout::target {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kDeadline{10'000};
constexpr std::size_t kShortestIdPrefix = 12;

}  // namespace

Said ask_program(const std::string& name, const std::vector<std::string>& arguments, const std::string& search_path) {
  const auto program = find_program(name, search_path);
  if (!program) return {"", "not installed"};
  auto finished = run_program(*program, arguments, kDeadline);
  if (!finished) return {"", finished.error().render()};
  if (finished->exit_code == 0) return {std::move(finished->out), ""};
  const auto why = finished->err.empty() ? finished->out : finished->err;
  return {"", fmt::format("{} says (exit code {}): {}", program->string(), finished->exit_code, last_line(why))};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);)
    if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

Asked json_of(const Said& said, const std::string& whose) {
  if (!said.problem.empty()) return {nullptr, said.problem};
  json body = json::parse(said.text, nullptr, false);
  if (body.is_discarded()) return {nullptr, fmt::format("{} answers with something that is no JSON", whose)};
  return {std::move(body), ""};
}

Container inspected(const std::string& runtime, const json& description) {
  Container container{.runtime = runtime};
  container.id = text_at(description, "/Id");
  container.pid = pid_of(number_at(description, "/State/Pid"));
  const bool paused = flag_at(description, "/State/Paused");
  container.state = paused ? "paused" : text_at(description, "/State/Status");
  container.running = flag_at(description, "/State/Running") && !paused && container.pid > 0;
  container.image = text_at(description, "/Config/Image");
  container.image_digest = text_at(description, "/Image");
  container.labels = object_at(description, "/Config/Labels");
  return container;
}

bool describes(const json& description, const std::string& name) {
  std::string own_name = text_at(description, "/Name");
  if (own_name.starts_with('/')) own_name.erase(0, 1); // docker's begin so
  return own_name == name || is_start_of_id(name, text_at(description, "/Id"));
}

bool carries(const json& labels, const drill::Labels& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& label) {
    const auto found = labels.find(label.first);
    return found != labels.end() && *found == label.second;
  });
}

bool is_start_of_id(const std::string& name, const std::string& id) {
  return name.size() >= kShortestIdPrefix && name.find_first_not_of("0123456789abcdef") == std::string::npos &&
         id.starts_with(name);
}

std::int32_t pid_of(std::int64_t number) {
  return number > 0 && number <= std::numeric_limits<std::int32_t>::max() ? static_cast<std::int32_t>(number) : 0;
}

}  // namespace brownout::target
