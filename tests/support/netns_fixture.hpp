// SPDX-License-Identifier: MIT
// A "host" and a "container": two network namespaces joined by a veth. The test's own thread is in the host's, so
// that nothing of the machine's own network is touched. All of it dies with the fixture.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "brownout/kernel.hpp"
#include "support/netns_visit.hpp"
#include "support/object_census.hpp"
#include "support/trace_process.hpp"

namespace brownout::test {

inline constexpr char kHost4[] = "10.98.0.1", kContainer4[] = "10.98.0.2";
inline constexpr char kHost6[] = "fd98::1", kContainer6[] = "fd98::2";
inline constexpr char kHostDevice[] = "bo-host0", kContainerDevice[] = "eth0";

class VethRoom {
 public:
  VethRoom() : host_(holder()), container_(holder()), visit_(NetnsVisit::enter(host_->pid())) {
    const std::string container = std::to_string(container_->pid());
    run({"ip", "link", "set", "lo", "up"});
    run({"ip", "link", "add", kHostDevice, "type", "veth", "peer", "name", kContainerDevice, "netns", container});
    run_in(container_->pid(), {"ip", "link", "set", "lo", "up"});
    configure(host_->pid(), kHostDevice, kHost4, kHost6);
    configure(container_->pid(), kContainerDevice, kContainer4, kContainer6);
    before_ = ObjectCensus::take();
  }

  pid_t host() const { return host_->pid(); }
  pid_t container() const { return container_->pid(); }
  void run(const std::vector<std::string>& command) const { run_in(host_->pid(), command); }

  target::Target target() const {
    target::Target target;
    target.name = "container";
    target.runtime = "pid";
    target.pid = container_->pid();
    return target;
  }
  kernel::Interface interface() const {
    auto found = kernel::host_side_veths(target());
    if (!found) throw std::runtime_error(found.error().render());
    return found->front();
  }
  // Empty: links, programs, maps, interfaces and qdiscs are as they were when the room was ready.
  std::string leftovers() const { return before_.difference_after_waiting(); }

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
  static void configure(pid_t where, const std::string& device, const std::string& v4, const std::string& v6) {
    run_in(where, {"ip", "address", "add", v4 + "/24", "dev", device});
    run_in(where, {"ip", "address", "add", v6 + "/64", "dev", device, "nodad"});
    run_in(where, {"ip", "link", "set", device, "up"});
  }

  std::unique_ptr<Process> host_, container_;
  NetnsVisit visit_;
  ObjectCensus before_;
};

}  // namespace brownout::test
