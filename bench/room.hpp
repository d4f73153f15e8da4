// SPDX-License-Identifier: MIT
// Where the benches measure: a host and a container joined by a veth, and a client behind the host, so that traffic
// can start at the host itself or be forwarded by it.
#pragma once

#include "brownout/fd.hpp"
#include "support/netns_fixture.hpp"

namespace brownout::bench {

inline constexpr char kClient4[] = "10.97.0.2", kRouter4[] = "10.97.0.1";

class BenchRoom {
 public:
  BenchRoom() : client_("client", test::Place{}, hold) {
    if (client_.await() != 'u') throw std::runtime_error("no network namespace: root is needed");
    room_.run({"ip", "link", "add", "bo-client0", "type", "veth", "peer", "name", "eth0", "netns",
               std::to_string(client_.pid())});
    room_.run({"ip", "address", "add", std::string(kRouter4) + "/24", "dev", "bo-client0"});
    room_.run({"ip", "link", "set", "bo-client0", "up"});
    test::run_in(client_.pid(), {"ip", "address", "add", std::string(kClient4) + "/24", "dev", "eth0"});
    test::run_in(client_.pid(), {"ip", "link", "set", "eth0", "up"});
    test::run_in(client_.pid(), {"ip", "route", "add", "default", "via", kRouter4});
    test::run_in(room_.container(), {"ip", "route", "add", "default", "via", test::kHost4});
    const auto forward = open_file("/proc/sys/net/ipv4/ip_forward", O_WRONLY);
    if (!forward || !write_all(forward->get(), "1")) throw std::runtime_error("cannot turn forwarding on");
  }

  const test::VethRoom& veth() const { return room_; }
  pid_t host() const { return room_.host(); }
  pid_t container() const { return room_.container(); }
  pid_t client() const { return client_.pid(); }

 private:
  static int hold(const test::Steps& steps) {
    if (unshare(CLONE_NEWNET) != 0) return 1;
    steps.say('u');
    steps.await();
    return 0;
  }

  test::VethRoom room_;  // this thread is in the host's namespace from here on
  test::Process client_;
};

// One way of a path: from where, to where.
struct Way {
  const char* topology;
  const char* direction;
  pid_t from, to;
  const char* from_address;
  const char* to_address;
};

inline std::vector<Way> ways(const BenchRoom& room) {
  return {{"host_local", "to_container", room.host(), room.container(), test::kHost4, test::kContainer4},
          {"host_local", "from_container", room.container(), room.host(), test::kContainer4, test::kHost4},
          {"forwarded", "to_container", room.client(), room.container(), kClient4, test::kContainer4},
          {"forwarded", "from_container", room.container(), room.client(), test::kContainer4, kClient4}};
}

}  // namespace brownout::bench
