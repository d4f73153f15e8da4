// SPDX-License-Identifier: MIT
// What is listed in the namespace that the calling thread is in.
#pragma once

#include <string>
#include <vector>

#include "brownout/host_state.hpp"

namespace brownout::kernel {

struct Command { std::string file, program; std::vector<std::string> arguments; };
// Counters and settings are read from files; the rest is what tools print.
std::vector<Command> commands_in_target(const std::string& container_device);
std::vector<Command> commands_on_host(const std::string& host_device);
std::vector<Command> commands_on_programs(const std::string& host_device, const std::string& cgroup);

// In turn, until `deadline`; what is not installed, fails or takes too long is said in its place.
std::vector<Listing> run_commands(const std::vector<Command>& commands, std::chrono::steady_clock::time_point deadline);
// nstat.txt and sysctl.txt of the calling thread's network namespace.
std::vector<Listing> read_netns_files();

}  // namespace brownout::kernel
