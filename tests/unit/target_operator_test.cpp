// SPDX-License-Identifier: MIT
// By which connection the operator came.
#include <catch2/generators/catch_generators.hpp>

#include "brownout/connections.hpp"
#include "support/flow_keys.hpp"
#include "target_sockets.hpp"

namespace target_operator_test {

using namespace brownout;
using namespace brownout::target;

namespace {

const Endpoint kServer{"192.0.2.1", 22}, kDesk{"203.0.113.5", 50000}, kOtherDesk{"203.0.113.6", 50001};
constexpr std::uint64_t kListener = 5000, kSession = 5001, kForwarded = 5002, kOtherSession = 6001;

// The host's sockets, as every process of its network namespace sees them.
std::string tcp() {
  return socket_line({"0.0.0.0", 22}, {"0.0.0.0", 0}, kListen, kListener) +
         socket_line(kServer, kDesk, kEstablished, kSession) +
         socket_line(kServer, kOtherDesk, kEstablished, kOtherSession) +
         socket_line({"192.0.2.1", 40000}, {"10.0.0.2", 80}, kEstablished, kForwarded);
}

void add(Machine& machine, std::int32_t pid, const std::string& comm, std::int32_t parent) {
  machine.add_process(pid, comm, "/sessions", kHostNetns);
  machine.set_parent(pid, parent);
  set_sockets(machine, pid, "tcp", tcp());
}

void set_environment(const Machine& machine, std::int32_t pid, const std::string& connection) {
  Machine::write(machine.proc() / std::to_string(pid) / "environ",
                 std::string{"A=1\0SSH_CONNECTION=", 19} + connection + std::string{"\0Z=2\0", 5});
}

// systemd, and the sshd that listens.
void boot(Machine& machine) {
  add(machine, 1, "systemd", 0);
  add(machine, 50, "sshd", 1);
  machine.open_socket(50, 3, kListener);
}

// As OpenSSH splits itself since 9.8: privileged, and not; only the latter has what is forwarded.
void log_in(Machine& machine, std::int32_t first_pid, std::uint64_t session) {
  add(machine, first_pid, "sshd-session", 50);
  add(machine, first_pid + 1, "sshd-session", first_pid);
  add(machine, first_pid + 2, "bash", first_pid + 1);
  machine.open_socket(first_pid, 4, session);
  machine.open_socket(first_pid + 1, 4, session);
  machine.open_socket(first_pid + 1, 9, kForwarded);
}

std::vector<OperatorConnection> found(const Machine& machine) { return operator_connections(machine.proc()); }

bool is(const OperatorConnection& connection, const Endpoint& peer) {
  const auto wanted = test::flow_key(kServer.first, kServer.second, peer.first, peer.second, 6);
  return std::memcmp(&connection.flow, &wanted, sizeof wanted) == 0;
}

}  // namespace

TEST_CASE("an operator who came by SSH is found by sshd's socket, not by what it forwards") {
  Machine machine;
  boot(machine);
  log_in(machine, 80, kSession);
  machine.set_parent(kOwnPid, 82);
  const auto connections = found(machine);
  REQUIRE(connections.size() == 1);
  CHECK(is(connections[0], kDesk));
  CHECK(connections[0].netns_inode == kHostNetns);
  CHECK(connections[0].peer_is_known);
  CHECK(connections[0].found_by == "sshd-session, pid 81");
}

TEST_CASE("sudo and su are passed on the way") {
  Machine machine;
  boot(machine);
  log_in(machine, 80, kSession);
  add(machine, 85, "sudo", 82);
  add(machine, 86, "sudo", 85);
  add(machine, 87, "su", 86);
  machine.set_parent(kOwnPid, 87);
  const auto connections = found(machine);
  REQUIRE(connections.size() == 1);
  CHECK(is(connections[0], kDesk));
}

TEST_CASE("of one sshd that holds all, the connection is what came to the port it listens at") {
  Machine machine;
  boot(machine);
  add(machine, 70, "sshd", 50);
  machine.open_socket(70, 4, kSession);
  machine.open_socket(70, 9, kForwarded);
  machine.set_parent(kOwnPid, 70);
  const auto connections = found(machine);
  REQUIRE(connections.size() == 1);
  CHECK(is(connections[0], kDesk));
}

TEST_CASE("from a multiplexer's server on, the connections of all its clients count") {
  const std::string comm = GENERATE(as<std::string>{}, "tmux: ", "screen");
  Machine machine;
  boot(machine);
  log_in(machine, 80, kSession);
  log_in(machine, 90, kOtherSession);
  const bool tmux = comm == "tmux: ";
  add(machine, 60, tmux ? comm + "server" : comm, 1);
  add(machine, 61, "bash", 60);
  add(machine, 83, tmux ? comm + "client" : comm, 82);
  add(machine, 93, tmux ? comm + "client" : comm, 92);
  machine.set_parent(kOwnPid, 61);
  const auto connections = found(machine);
  REQUIRE(connections.size() == 2);
  CHECK(is(connections[0], kDesk));
  CHECK(is(connections[1], kOtherDesk));
}

TEST_CASE("others' multiplexers and sessions do not count") {
  Machine machine;
  boot(machine);
  log_in(machine, 80, kSession);
  add(machine, 83, "tmux: client", 82);
  add(machine, 40, "login", 1);
  machine.set_parent(kOwnPid, 40);
  CHECK(found(machine).empty());
}

TEST_CASE("mosh-server's socket knows no peer; who started it came by SSH") {
  Machine machine;
  boot(machine);
  add(machine, 60, "mosh-server", 1);
  set_sockets(machine, 60, "udp", socket_line({"0.0.0.0", 60001}, {"0.0.0.0", 0}, kUnconnected, 7001) +
                                      socket_line({"0.0.0.0", 53}, {"0.0.0.0", 0}, kUnconnected, 7002));
  machine.open_socket(60, 5, 7001);
  set_environment(machine, 60, "203.0.113.5 50000 192.0.2.1 22");
  machine.set_parent(kOwnPid, 60);
  const auto connections = found(machine);
  REQUIRE(connections.size() == 1);
  const auto wanted = test::flow_key("192.0.2.1", 60001, "203.0.113.5", 0, 17);
  CHECK(std::memcmp(&connections[0].flow, &wanted, sizeof wanted) == 0);
  CHECK_FALSE(connections[0].peer_is_known);
}

TEST_CASE("the environment is asked only when there is no socket, and said to be a hint") {
  Machine machine;
  boot(machine);
  add(machine, 40, "bash", 1);
  machine.set_parent(kOwnPid, 40);
  set_environment(machine, 40, "fe80::5%eth0 50000 fe80::1 22");
  const auto hinted = found(machine);
  REQUIRE(hinted.size() == 1);
  const auto wanted = test::flow_key("fe80::1", 22, "fe80::5", 50000, 6);
  CHECK(std::memcmp(&hinted[0].flow, &wanted, sizeof wanted) == 0);
  CHECK(hinted[0].found_by.contains("only a hint"));
  log_in(machine, 80, kSession);
  machine.set_parent(40, 82);
  REQUIRE(found(machine).size() == 1);
  CHECK(is(found(machine)[0], kDesk));
}

TEST_CASE("an environment that is none is no hint") {
  const std::string value = GENERATE(as<std::string>{}, "", "here 1 there 2", "203.0.113.5 50000",
                                     "1.2.3.4 99999 1.2.3.5 22");
  Machine machine;
  boot(machine);
  machine.set_parent(kOwnPid, 1);
  set_environment(machine, kOwnPid, value);
  CHECK(found(machine).empty());
}

TEST_CASE("processes that are each other's parents end the walk") {
  Machine machine;
  add(machine, 40, "bash", kOwnPid);
  machine.set_parent(kOwnPid, 40);
  CHECK(found(machine).empty());
}

}  // namespace target_operator_test
