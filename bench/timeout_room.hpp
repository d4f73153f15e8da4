// SPDX-License-Identifier: MIT
// A client's network namespace and cgroup, and a server's beside it, which is also the router to nets that it calls
// unreachable. The kernel's own timeouts are made short.
#pragma once

#include <array>
#include <map>
#include <string>

#include "support/netns_visit.hpp"
#include "support/trace_room.hpp"

namespace brownout::bench {

inline constexpr char kNobody[] = "10.99.0.77";        // a MAC address that nobody has: no answer of any kind
// `*` is 0 to 63: neighbours that are asked for at once may fail in silence, and a router says "unreachable" to each host
// only once a second, so that the client asks from as many addresses.
inline constexpr char kHostDown[] = "10.99.2.*"; // on the link, and nobody answers who has it
inline constexpr char kHostUnreachable[] = "10.98.*.1"; // the router says so
inline constexpr char kProhibited[] = "10.97.*.1";
inline constexpr char kNetUnreachable[] = "10.96.*.1"; // it has no route
inline constexpr int kSources = 64;

class TimeoutRoom {
 public:
  TimeoutRoom() {
    const pid_t client = room_.client_netns(), server = room_.server_netns();
    test::run_in(client, {"ip", "neigh", "replace", kNobody, "lladdr", "02:00:00:00:00:77", "dev", "a0", "nud",
                          "permanent"});
    test::run_in(client, {"ip", "route", "add", "10.99.2.0/24", "dev", "a0"});
    test::run_in(client, {"sh", "-c", batch() + " | ip -batch -"});
    test::run_in(server, {"ip", "route", "add", "10.99.1.0/24", "dev", "b0"});
    test::run_in(server, {"ip", "route", "add", "unreachable", "10.98.0.0/16"});
    test::run_in(server, {"ip", "route", "add", "prohibit", "10.97.0.0/16"});
    set(server, "ip_forward", "1");
    set(server, "icmp_ratelimit", "0"); // a second limit, of the same kind
    set(client, "neigh/a0/mcast_solicit", "1"); // 1 s
    for (const auto& [name, value] : kShort) set(client, name, value);
  }

  const test::Room& room() const { return room_; }
  // As they are in the client's namespace. What this kernel has not is left out.
  std::map<std::string, std::string> sysctls() const {
    std::map<std::string, std::string> all;
    for (const auto& [name, value] : kShort)
      if (auto text = get(room_.client_netns(), name)) all[std::string("net.ipv4.") + name] = *text;
    return all;
  }

 private:
  // Three SYNs, 4 s in all; three retransmissions of data, 3 s. (Without the linear one an ICMP error that comes just after
  // the last SYN would be taken for a reason to try again, at once, and that for the end: ETIMEDOUT. RFC 6069.)
  static constexpr std::array<std::pair<const char*, const char*>, 3> kShort{
      {{"tcp_syn_retries", "1"}, {"tcp_syn_linear_timeouts", "1"}, {"tcp_retries2", "3"}}};

  // Lines for ip: a route to each of the router's nets, from an address of its own.
  static std::string batch() {
    return "for n in $(seq 0 " + std::to_string(kSources - 1) + "); do echo address add 10.99.1.$n/32 dev a0; " +
           "for net in 96 97 98; do echo route add 10.$net.$n.0/24 via " + test::kServerAddress + " src 10.99.1.$n; " +
           "done; done";
  }
  static std::string path(const std::string& name) { return "/proc/sys/net/ipv4/" + name; }
  static void set(pid_t netns_of, const std::string& name, const std::string& value) {
    const auto there = test::NetnsVisit::enter(netns_of);
    const auto file = open_file(path(name), O_WRONLY);
    if (file && !write_all(file->get(), value)) throw std::runtime_error("cannot write " + path(name));
  }
  static std::optional<std::string> get(pid_t netns_of, const std::string& name) {
    const auto there = test::NetnsVisit::enter(netns_of);
    auto text = read_file(path(name));
    if (!text) return std::nullopt;
    return text->substr(0, text->find('\n'));
  }

  test::Room room_;
};

}  // namespace brownout::bench
