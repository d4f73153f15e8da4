// SPDX-License-Identifier: MIT
// systemd-nspawn: each machine has a process of that name, whose child is the machine's first process.
#include <filesystem>

#include <fmt/format.h>

#include "answer.hpp"
#include "supervisors.hpp"

namespace brownout::target {
namespace {

// As nspawn itself names a machine: by the option, else by its directory.
std::string machine_of(const Supervisor& nspawn) {
  if (auto name = nspawn.option("-M", "--machine")) return *std::move(name);
  std::filesystem::path directory = nspawn.option("-D", "--directory").value_or("");
  if (!directory.has_filename()) directory = directory.parent_path(); // "a/" is "a"
  return directory.filename();
}

}  // namespace

Answer ask_nspawn(const drill::ContainerTarget& wanted, const Surroundings& surroundings) {
  Answer answer{.runtime = "nspawn"};
  const auto machines = supervisors("systemd-nspawn", surroundings.proc);
  for (const auto& nspawn : machines) {
    if (machine_of(nspawn) != wanted.name) continue;
    Container container{.runtime = "nspawn", .id = wanted.name, .pid = first_child_of(nspawn.pid, surroundings.proc)};
    container.running = container.pid > 0;
    container.state = container.running ? "running" : "starting";
    answer.containers.push_back(std::move(container));
  }
  if (answer.containers.empty())
    answer.reason = fmt::format("{} systemd-nspawn processes, none of a machine '{}'", machines.size(), wanted.name);
  return answer;
}

}  // namespace brownout::target
