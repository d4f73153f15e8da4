// SPDX-License-Identifier: MIT
// What /proc tells of connections.
#include <algorithm>

#include "brownout/connections.hpp"
#include "support/flow_keys.hpp"
#include "target_sockets.hpp"

namespace target_connections_test {

using namespace brownout;
using namespace brownout::target;

namespace {

constexpr std::int32_t kPid = 7;
constexpr std::uint64_t kNetns = 5;

const char* kTrie =
    "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n"
    "     +-- 10.0.0.0/24 2 0 2\n        +-- 10.0.0.0/30 2 0 2\n           |-- 10.0.0.0\n"
    "              /24 link UNICAST\n           |-- 10.0.0.2\n              /32 host LOCAL\n"
    "        |-- 10.0.0.255\n           /32 link BROADCAST\n"
    "     |-- 127.0.0.1\n           /32 host LOCAL\nLocal:\n           |-- 10.0.0.2\n              /32 host LOCAL\n";

struct Container : Machine {
  Container() {
    add_process(kPid, "app", "/docker/x", kNetns);
    write(proc() / "7/net/fib_trie", kTrie);
    write(proc() / "7/net/if_inet6",
          "fd000000000000000000000000000002 02 40 00 80     eth0\n"
          "00000000000000000000000000000001 01 80 10 80       lo\n");
  }
};

Address address(const std::string& text) { return local_of(test::flow_key(text, 0, "::", 0, 0)); }

Target target_of(const Machine& machine) {
  return {.name = "x", .pid = kPid, .cgroup_path = machine.mount() / "docker/x", .netns_inode = kNetns};
}

}  // namespace

TEST_CASE("a namespace's addresses are what it answers to, loopback aside") {
  const Container machine;
  CHECK(addresses_of(kPid, machine.proc()) == std::set<Address>{address("10.0.0.2"), address("fd00::2")});
  CHECK(addresses_of(99, machine.proc()).empty());
}

TEST_CASE("a line of the kernel's list is read as the kernel wrote it") {
  const Container machine;
  set_sockets(machine, kPid, "tcp",
              "   3: 0200000A:9C40 070200C0:01BB 01 00000000:00000000 02:000AA6D5 00000000  1000        0 4711 2 "
              "0000000000000000 20 4 28 10 -1\n");
  const auto connections = connections_of(kPid, machine.proc());
  REQUIRE(connections.open.size() == 1);
  const auto wanted = test::flow_key("10.0.0.2", 40000, "192.0.2.7", 443, 6);
  CHECK(std::memcmp(&connections.open[0].flow, &wanted, sizeof wanted) == 0);
  CHECK(connections.open[0].inode == 4711);
  CHECK(connections.whole);
}

TEST_CASE("open connections are those that are not over and leave the namespace") {
  const Container machine;
  const Endpoint own{"10.0.0.2", 40000};
  set_sockets(machine, kPid, "tcp",
              socket_line(own, {"192.0.2.7", 443}, kEstablished, 1) + socket_line(own, {"0.0.0.0", 0}, kListen, 2) +
                  socket_line(own, {"192.0.2.7", 444}, kTimeWait, 0) +
                  socket_line(own, {"10.0.0.2", 8080}, kEstablished, 3) +
                  socket_line({"127.0.0.1", 40000}, {"127.0.0.11", 53}, kEstablished, 4) + "not a line at all\n");
  set_sockets(machine, kPid, "tcp6",
              socket_line({"fd00::2", 40000}, {"2001:db8::7", 443}, kEstablished, 5) +
                  socket_line({"::ffff:10.0.0.2", 8080}, {"::ffff:192.0.2.8", 50000}, kEstablished, 6) +
                  socket_line({"::1", 40000}, {"::1", 80}, kEstablished, 7));
  std::vector<std::uint64_t> inodes;
  for (const auto& connection : connections_of(kPid, machine.proc()).open) inodes.push_back(connection.inode);
  CHECK(inodes == std::vector<std::uint64_t>{1, 5, 6});
  const auto mapped = connections_of(kPid, machine.proc()).open.back().flow;
  CHECK(peer_of(mapped) == address("192.0.2.8"));
}

TEST_CASE("a list without end is cut off, and said to be") {
  const Container machine;
  std::string lines;
  const auto line = socket_line({"10.0.0.2", 40000}, {"192.0.2.7", 443}, kEstablished, 1);
  while (lines.size() < (std::size_t{33} << 20)) lines += line;
  set_sockets(machine, kPid, "tcp", lines);
  const auto connections = connections_of(kPid, machine.proc());
  CHECK_FALSE(connections.whole);
  CHECK(connections.open.size() > 200'000);
}

TEST_CASE("a socket's holder is who has it open") {
  Container machine;
  machine.add_process(8, "worker", "/docker/x", kNetns);
  machine.open_socket(kPid, 3, 11);
  machine.open_socket(8, 3, 12);
  const auto holders = holders_of({11, 12, 13}, {kPid, 8, 99}, machine.proc());
  REQUIRE(holders.size() == 2);
  CHECK(holders.at(11).comm == "app");
  CHECK(holders.at(12).pid == 8);
}

TEST_CASE("a runtime's connections to the target are found on the host's side") {
  Container machine;
  const auto to_target = [](std::uint16_t port, std::uint64_t inode) {
    return socket_line({"10.0.0.1", port}, {"10.0.0.2", 8080}, kEstablished, inode);
  };
  const std::string tcp = to_target(1001, 101) + to_target(1002, 102) + to_target(1003, 103) + to_target(1004, 104) +
                          socket_line({"10.0.0.1", 1005}, {"10.0.0.3", 8080}, kEstablished, 105);
  const auto add = [&](std::int32_t pid, const std::string& comm, const std::string& cgroup, std::uint64_t inode) {
    machine.add_process(pid, comm, cgroup, kHostNetns);
    set_sockets(machine, pid, "tcp", tcp);
    machine.open_socket(pid, 3, inode);
  };
  add(31, "kubelet", "/system.slice", 101);
  add(32, "containerd-shim", "/system.slice", 102);
  add(33, "docker-proxy", "/system.slice", 103);
  add(34, "dockerd", "/docker/x", 104); // an engine inside of the target is the target
  add(35, "dockerd", "/system.slice", 105);
  const auto found = runtime_connections(target_of(machine), machine.proc());
  REQUIRE(found.size() == 2);
  CHECK(found[0].holder.comm == "kubelet");
  const auto wanted = test::flow_key("10.0.0.2", 8080, "10.0.0.1", 1001, 6);
  CHECK(std::memcmp(&found[0].flow, &wanted, sizeof wanted) == 0);
  CHECK(found[1].holder.pid == 32);
}

}  // namespace target_connections_test
