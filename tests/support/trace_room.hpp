// SPDX-License-Identifier: MIT
// Two network namespaces joined by a veth, the first of them the target's, and a cgroup for the target's processes.
// All of it dies with the test.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>

#include <catch2/catch_test_macros.hpp>

#include "brownout/kernel.hpp"
#include "support/trace_process.hpp"

namespace brownout::test {

constexpr const char* kClientAddress = "10.99.0.1";
constexpr const char* kServerAddress = "10.99.0.2";
constexpr std::uint16_t kPort = 8443;

// A cgroup below `parent` (default: the root of the cgroup2 mount).
class Cgroup {
 public:
  explicit Cgroup(const std::string& name, std::filesystem::path parent = {}) {
    if (parent.empty()) {
      auto mount = target::cgroup2_mount();
      if (!mount) throw std::runtime_error(mount.error().render());
      parent = *mount;
    }
    path_ = parent / name;
    if (mkdir(path_.c_str(), 0755) != 0 && errno != EEXIST) throw std::runtime_error("mkdir " + path_.string());
  }
  ~Cgroup() {
    for (int i = 0; i < 200 && rmdir(path_.c_str()) != 0 && errno == EBUSY; ++i) usleep(10'000); // a child is still ending
  }
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::uint64_t id() const {
    struct stat status {};
    stat(path_.c_str(), &status);
    return status.st_ino;
  }
  void put_into(target::Target& target) const {
    target.cgroup_path = path_;
    target.cgroup_id = id();
    const auto relative = std::filesystem::relative(path_, *target::cgroup2_mount());
    target.cgroup_level = static_cast<int>(std::distance(relative.begin(), relative.end()));
  }

 private:
  std::filesystem::path path_;
};

class Room {
 public:
  Room() : cgroup_("brownout-trace-" + std::to_string(getpid())), client_side_(holder()), server_side_(holder()) {
    const auto a = client_side_->pid(), b = server_side_->pid();
    run_in(a, {"ip", "link", "set", "lo", "up"});
    run_in(a, {"ip", "link", "add", "a0", "type", "veth", "peer", "name", "b0", "netns", std::to_string(b)});
    run_in(a, {"ip", "address", "add", std::string(kClientAddress) + "/24", "dev", "a0"});
    run_in(b, {"ip", "address", "add", std::string(kServerAddress) + "/24", "dev", "b0"});
    run_in(a, {"ip", "address", "add", "fd99::1/64", "dev", "a0", "nodad"});
    run_in(b, {"ip", "address", "add", "fd99::2/64", "dev", "b0", "nodad"});
    run_in(a, {"ip", "link", "set", "a0", "up"});
    run_in(b, {"ip", "link", "set", "b0", "up"});
  }

  const Cgroup& cgroup() const { return cgroup_; }
  Place client() const { return {.netns_of = client_side_->pid(), .cgroup = cgroup_.path()}; }
  Place server() const { return {.netns_of = server_side_->pid()}; }
  pid_t client_netns() const { return client_side_->pid(); }
  pid_t server_netns() const { return server_side_->pid(); }

  // From here on the server's MAC address is nobody's: packets to it vanish without a word.
  void blackhole() const {
    run_in(client_netns(), {"ip", "neigh", "replace", kServerAddress, "lladdr", "02:00:00:00:00:99", "dev", "a0", "nud",
                            "permanent"});
  }

  target::Target target() const {
    target::Target target;
    target.name = "room";
    target.runtime = "cgroup";
    target.pid = client_netns();
    struct stat netns {};
    stat(("/proc/" + std::to_string(target.pid) + "/ns/net").c_str(), &netns);
    target.netns_inode = netns.st_ino;
    cgroup_.put_into(target);
    return target;
  }

 private:
  static std::unique_ptr<Process> holder() {
    auto process = std::make_unique<Process>("holder", Place{}, [](const Steps& steps) {
      if (unshare(CLONE_NEWNET) != 0) return 1;
      steps.say('u');
      steps.await();
      return 0;
    });
    if (process->await() != 'u') throw std::runtime_error("no network namespace: root is needed");
    return process;
  }

  Cgroup cgroup_;
  std::unique_ptr<Process> client_side_, server_side_;
};

// One fault, a delay, on TCP to this port of any peer; nothing is injected, the tracer only asks what it would hit.
inline plan::Plan plan_for(std::uint16_t port, const std::string& comm = {}) {
  plan::Plan plan;
  plan::PlannedFault fault;
  fault.abi.kind = BROWNOUT_FAULT_LATENCY;
  fault.abi.match.peer_port_low = fault.abi.match.peer_port_high = port;
  fault.abi.match.local_port_high = 65535;
  fault.abi.match.protocol = IPPROTO_TCP;
  fault.abi.match.directions = 3;
  fault.abi.match.has_ports = 1;
  plan.faults.push_back(fault);
  if (!comm.empty()) {
    plan.drill.app.emplace();
    plan.drill.app->process.comm = comm;
  }
  return plan;
}

}  // namespace brownout::test
