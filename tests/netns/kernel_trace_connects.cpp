// SPDX-License-Identifier: MIT
// Connects that fail: one kind each, with the right owner, and counted.
#include "support/trace_sockets.hpp"
#include "support/trace_watch.hpp"

namespace kernel_trace_connects_test {

using namespace brownout::test;

namespace {

// Addresses of the server's side that nobody answers at: its MAC address is nobody's.
constexpr const char* kNobody = "10.99.0.77";

void add_nobody(const Room& room) {
  run_in(room.client_netns(), {"ip", "neigh", "replace", kNobody, "lladdr", "02:00:00:00:00:77", "dev", "a0", "nud",
                               "permanent"});
}

// What every failed connect has in common.
void check_failed_connect(const brownout_event& event, const Process& client, const std::string& peer) {
  CHECK((event.flags & BROWNOUT_EVENT_CALL_FAILED) != 0);
  CHECK((event.flags & BROWNOUT_EVENT_HIT) != 0);
  CHECK((event.flags & BROWNOUT_EVENT_APP) != 0);
  CHECK((event.flags & BROWNOUT_EVENT_OWNER_KNOWN) != 0);
  CHECK((event.flags & (BROWNOUT_EVENT_PREEXISTING | BROWNOUT_EVENT_NO_RTO | BROWNOUT_EVENT_TLS)) == 0);
  CHECK(event.pid == static_cast<std::uint32_t>(client.pid()));
  CHECK(std::string(event.comm) == "tracee");
  CHECK(address_text(event.flow.peer_address) == peer);
  CHECK(event.flow.peer_port == kPort);
  CHECK(event.flow.local_port != 0);
  CHECK(event.flow.protocol == IPPROTO_TCP);
  CHECK(event.old_state == TCP_SYN_SENT);
  CHECK(event.new_state == TCP_CLOSE);
  CHECK(event.cookie != 0);
  CHECK(event.call_start_ns != 0);
  CHECK(event.t_mono_ns - event.call_start_ns == event.duration_ns);
}

}  // namespace

TEST_CASE("trace: connect refused", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process client{"tracee", room.client(), [](const Steps&) {
    return connect_to(kServerAddress, kPort) == -1 && errno == ECONNREFUSED ? 0 : 1;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_CONNECT_REFUSED);
  REQUIRE(event);
  check_failed_connect(*event, client, kServerAddress);
  CHECK(address_text(event->flow.local_address) == kClientAddress);
  CHECK(event->error == ECONNREFUSED);
  CHECK(event->cgroup_id == room.cgroup().id());
  CHECK((event->flags & BROWNOUT_EVENT_INFERRED) == 0);
  CHECK(client.wait() == 0);
  watch.drain();
  CHECK(watch.failures().size() == 1);
  CHECK(watch.counters().connects[1] == 1);
  CHECK(watch.counters().calls_failed[1] == 1);
  CHECK(watch.counters().connected[1] == 0);
  CHECK(watch.detach());
}

TEST_CASE("trace: connect refused over IPv6", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process client{"tracee", room.client(), [](const Steps&) { return connect_to("fd99::2", kPort) == -1 ? 0 : 1; }};
  const auto event = watch.event(BROWNOUT_EVENT_CONNECT_REFUSED);
  REQUIRE(event);
  check_failed_connect(*event, client, "fd99::2");
  CHECK(address_text(event->flow.local_address) == "fd99::1");
}

TEST_CASE("trace: connect abandoned by the application's own timeout", "[netns]") {
  Room room;
  add_nobody(room);
  Watch watch{room, plan_for(kPort, "tracee")};
  Process client{"tracee", room.client(), [](const Steps&) { return connect_within(kNobody, kPort, 300); }};
  const auto event = watch.event(BROWNOUT_EVENT_CONNECT_ABANDONED);
  REQUIRE(event);
  check_failed_connect(*event, client, kNobody);
  CHECK(event->error == 0);
  CHECK(event->duration_ns >= 300'000'000);
  CHECK(event->duration_ns < 3'000'000'000);
  CHECK(client.wait() == 0);
  watch.drain();
  CHECK(watch.failures().size() == 1);
  CHECK(watch.counters().calls_failed[1] == 1);
}

TEST_CASE("trace: connect that the kernel gives up, with its RTOs", "[netns]") {
  Room room;
  add_nobody(room);
  Watch watch{room, plan_for(kPort, "tracee")};
  Process client{"tracee", room.client(), [](const Steps&) {
    const auto where = address(kNobody, kPort);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    set_option(fd, IPPROTO_TCP, TCP_SYNCNT, 1);
    return connect(fd, where.get(), where.length) == -1 && errno == ETIMEDOUT ? 0 : 1;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_CONNECT_TIMEOUT);
  REQUIRE(event);
  check_failed_connect(*event, client, kNobody);
  CHECK(event->error == ETIMEDOUT);
  CHECK(event->rtos >= 2);
  CHECK(event->retransmits >= 1);
  CHECK(client.wait() == 0);
  watch.drain();
  std::size_t expired = 0;
  for (const auto& rto : watch.events()) {
    if (rto.kind != BROWNOUT_EVENT_RTO) continue;
    expired += (rto.flags & BROWNOUT_EVENT_EXPIRED) != 0 ? 1U : 0U;
    CHECK(rto.rto_us >= 900'000); // the first is 1 s, whatever a jiffy is here
    CHECK(rto.rto_us <= 4'100'000);
    CHECK((rto.flags & BROWNOUT_EVENT_CALL_FAILED) == 0);
  }
  CHECK(expired == 1);
  CHECK(watch.count(BROWNOUT_EVENT_RTO) == watch.counters().rtos);
  CHECK(watch.count(BROWNOUT_EVENT_RETRANSMIT_RTO) == watch.counters().retransmits);
  CHECK(watch.failures().size() == 1);
}

TEST_CASE("trace: connect to a net that a router calls unreachable", "[netns]") {
  Room room;
  run_in(room.client_netns(), {"ip", "route", "add", "10.98.0.0/16", "via", kServerAddress});
  run_in(room.server_netns(), {"ip", "route", "add", "unreachable", "10.98.0.0/16"});
  run_in(room.server_netns(), {"sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"});
  Watch watch{room, plan_for(kPort, "tracee")};
  Process client{"tracee", room.client(), [](const Steps&) {
    return connect_to("10.98.0.1", kPort) == -1 && errno == EHOSTUNREACH ? 0 : 1;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_CONNECT_UNREACHABLE);
  REQUIRE(event);
  check_failed_connect(*event, client, "10.98.0.1");
  CHECK(event->error == EHOSTUNREACH);
  CHECK(client.wait() == 0);
}

TEST_CASE("trace: a connect that is told at once that there is no way", "[netns]") {
  Room room;
  run_in(room.client_netns(), {"ip", "route", "add", "10.98.0.0/16", "via", kServerAddress});
  run_in(room.server_netns(), {"ip", "route", "add", "unreachable", "10.98.0.0/16"});
  run_in(room.server_netns(), {"sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"});
  Watch watch{room, plan_for(kPort, "tracee")};
  // The router answers while connect() still holds the socket: the kernel puts the error on a queue and stays in SYN_SENT.
  Process client{"tracee", room.client(), [](const Steps&) {
    const auto where = address("10.98.0.1", kPort);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    connect(fd, where.get(), where.length);
    pollfd told{.fd = fd, .events = POLLOUT, .revents = 0};
    int error = 0;
    socklen_t length = sizeof(error);
    poll(&told, 1, 10'000);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    close(fd);
    return error == EHOSTUNREACH ? 0 : 1;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_CONNECT_UNREACHABLE);
  REQUIRE(event);
  check_failed_connect(*event, client, "10.98.0.1");
  CHECK(event->error == EHOSTUNREACH);
  CHECK((event->flags & BROWNOUT_EVENT_INFERRED) == 0);
  CHECK(client.wait() == 0);
  watch.drain();
  CHECK(watch.failures().size() == 1);
}

TEST_CASE("trace: a connect that never leaves the host is an error of the socket, not a timeout", "[netns]") {
  Room room;
  run_in(room.client_netns(), {"sh", "-c", "echo 40000 40000 > /proc/sys/net/ipv4/ip_local_port_range"});
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), [](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    steps.say('l');
    return serve(listener, 0);
  }};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int first = connect_to(kServerAddress, kPort);
    return first >= 0 && connect_to(kServerAddress, kPort) == -1 && errno == EADDRNOTAVAIL ? 0 : 1;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_SOCKET_ERROR);
  REQUIRE(event);
  CHECK(event->error == EADDRNOTAVAIL);
  CHECK((event->flags & BROWNOUT_EVENT_INFERRED) != 0);
  CHECK((event->flags & BROWNOUT_EVENT_CALL_FAILED) != 0);
  CHECK(client.wait() == 0);
}

}  // namespace kernel_trace_connects_test
