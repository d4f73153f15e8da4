// SPDX-License-Identifier: MIT
#include "host_commands.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/clock.hpp"
#include "brownout/fd.hpp"
#include "brownout/subprocess.hpp"

namespace brownout::kernel {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kLargestListing = std::size_t{1} << 20;
constexpr std::size_t kLargestSetting = 4096;
constexpr auto kLongestCommand = 3s;
// Never by PATH: what runs here may have our privileges.
constexpr const char* kFolders = "/usr/sbin:/usr/bin:/sbin:/bin";
constexpr const char* kSettings = "/proc/sys/net/ipv4";

void cut(Listing& listing) {
  if (listing.text.size() < kLargestListing) return;
  listing.text.resize(listing.text.rfind('\n', kLargestListing - 1) + 1);
  listing.problem = fmt::format("cut off at {} bytes", kLargestListing);
}

Listing timed(std::string file, std::string command, const std::function<void(Listing&)>& work) {
  Listing listing{.file = std::move(file), .command = std::move(command), .t_mono_ns = monotonic_ns()};
  work(listing);
  listing.duration_ns = monotonic_ns() - listing.t_mono_ns;
  return listing;
}

void run(const Command& command, std::chrono::milliseconds patience, Listing& listing) {
  const auto program = find_program(command.program, kFolders);
  if (!program) {
    listing.problem = "not installed";
    return;
  }
  if (patience <= 0ms) {
    listing.problem = "not run: those before it took all the time";
    return;
  }
  auto finished = run_program(*program, command.arguments, patience);
  if (!finished) {
    listing.problem = finished.error().render();
    return;
  }
  listing.exit_code = finished->exit_code;
  listing.text = std::move(finished->out);
  if (finished->exit_code != 0)
    listing.problem = finished->err.empty() ? "failed" : finished->err.substr(0, finished->err.find('\n'));
  cut(listing);
}

// As `nstat -az` lists them.
void read_counters(Listing& listing) {
  const auto counters = snmp_counters(0);
  if (!counters) {
    listing.problem = counters.error().render();
    return;
  }
  for (const auto& [name, value] : *counters) {
    std::string word = name;
    std::erase(word, '.');
    listing.text += fmt::format("{:<32}{:>20}\n", word, value);
  }
}

// tcp_fastopen_key is a secret, and no setting.
bool is_listed(const std::string& name) { return name.starts_with("tcp_") && !name.ends_with("_key"); }

void read_settings(Listing& listing) {
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator{kSettings, error})
    if (is_listed(entry.path().filename())) names.push_back(entry.path().filename());
  if (error) listing.problem = fmt::format("{}: {}", kSettings, error.message());
  std::ranges::sort(names);
  for (const auto& name : names) {
    auto value = read_file(std::filesystem::path{kSettings} / name, kLargestSetting);
    if (value && value->ends_with('\n')) value->pop_back();
    listing.text += fmt::format("net.ipv4.{} = {}\n", name, value ? *value : "(" + value.error().what + ")");
  }
}

}  // namespace

std::vector<Command> commands_in_target(const std::string& container_device) {
  return {{"ss.txt", "ss", {"-tinoe"}},
          {"ip.txt", "ip", {"-d", "-s", "address", "show"}},
          {"ip.txt", "ip", {"route", "show", "table", "all"}},
          {"ip.txt", "ip", {"neighbour", "show"}},
          {"tc.txt", "tc", {"-s", "-d", "qdisc", "show"}},
          {"tc.txt", "tc", {"-s", "filter", "show", "dev", container_device, "ingress"}},
          {"tc.txt", "tc", {"-s", "filter", "show", "dev", container_device, "egress"}}};
}

std::vector<Command> commands_on_host(const std::string& host_device) {
  return {{"host.txt", "ip", {"-d", "-s", "link", "show", "dev", host_device}},
          {"host.txt", "tc", {"-s", "-d", "qdisc", "show", "dev", host_device}},
          {"host.txt", "tc", {"-s", "filter", "show", "dev", host_device, "ingress"}},
          {"host.txt", "tc", {"-s", "filter", "show", "dev", host_device, "egress"}}};
}

std::vector<Command> commands_on_programs(const std::string& host_device, const std::string& cgroup) {
  return {{"bpftool.txt", "bpftool", {"prog", "show"}},
          {"bpftool.txt", "bpftool", {"link", "show"}},
          {"bpftool.txt", "bpftool", {"net", "show", "dev", host_device}},
          {"bpftool.txt", "bpftool", {"cgroup", "show", cgroup}}};
}

std::vector<Listing> run_commands(const std::vector<Command>& commands, SteadyClock::time_point deadline) {
  std::vector<Listing> listings;
  for (const auto& command : commands) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now());
    listings.push_back(timed(command.file, fmt::format("{} {}", command.program, fmt::join(command.arguments, " ")),
                             [&](Listing& listing) {
                               run(command, std::min<std::chrono::milliseconds>(left, kLongestCommand), listing);
                             }));
  }
  return listings;
}

std::vector<Listing> read_netns_files() {
  return {timed("nstat.txt", "/proc/net/snmp, /proc/net/netstat", read_counters),
          timed("sysctl.txt", fmt::format("{}/tcp_*", kSettings), read_settings)};
}

}  // namespace brownout::kernel
