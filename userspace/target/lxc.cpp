// SPDX-License-Identifier: MIT
// LXC: lxc-info prints a value without its name only if it is asked for nothing else.
#include <charconv>

#include "answer.hpp"

namespace brownout::target {
namespace {

Said lxc_info(const drill::ContainerTarget& wanted, const char* what, const std::string& search_path) {
  std::vector<std::string> arguments{"--name", wanted.name, what, "--no-humanize"};
  if (!wanted.root.empty()) arguments.insert(arguments.end(), {"--lxcpath", wanted.root});
  auto said = ask_program("lxc-info", arguments, search_path);
  while (said.text.ends_with('\n')) said.text.pop_back();
  return said;
}

}  // namespace

Answer ask_lxc(const drill::ContainerTarget& wanted, const Surroundings& surroundings) {
  Answer answer{.runtime = "lxc"};
  const auto state = lxc_info(wanted, "--state", surroundings.search_path);
  answer.reason = state.problem;
  if (state.text.empty()) return answer;
  Container container{.runtime = "lxc", .id = wanted.name, .state = state.text};
  const auto pid = lxc_info(wanted, "--pid", surroundings.search_path).text;
  std::from_chars(pid.data(), pid.data() + pid.size(), container.pid);
  container.running = container.state == "RUNNING" && container.pid > 0;
  answer.containers.push_back(std::move(container));
  return answer;
}

}  // namespace brownout::target
