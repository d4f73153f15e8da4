// SPDX-License-Identifier: MIT
// Kinds that the socket's own state tells apart: who waited how, which timer ended it, why something was sent again.
#include <sys/epoll.h>
#include <sys/select.h>

#include <array>

#include <catch2/generators/catch_generators.hpp>

#include "support/trace_failures.hpp"

namespace kernel_trace_kinds_test {

using namespace brownout::test;

namespace {

bool has(const brownout_event& event, brownout_event_flags flag) { return (event.flags & flag) != 0; }

bool receives_are_traced(Watch& watch) {
  return std::ranges::none_of(watch.tracer().not_observed(),
                              [](const auto& line) { return line.contains("sock_recv_length"); });
}

void receive_timeout(int fd, int milliseconds) {
  const timeval limit{.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

int ask_with_timeout(int milliseconds) {
  const int fd = connect_to(kServerAddress, kPort);
  receive_timeout(fd, milliseconds);
  send_text(fd, "request");
  return fd;
}

bool waits_in_vain(int fd) {
  char byte = 0;
  return recv(fd, &byte, 1, 0) == -1 && errno == EAGAIN;
}

// All that was sent has been acknowledged.
void await_acknowledged(int fd) {
  for (;;) {
    tcp_info info{};
    socklen_t length = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 || info.tcpi_unacked == 0) return;
    pause_ms(1);
  }
}

// Waits on one readable descriptor, each as an application may do it; true: it ran its full length.
bool poll_wait(int fd, int milliseconds) {
  pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&ready, 1, milliseconds) == 0;
}
bool ppoll_wait(int fd, int milliseconds) {
  pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
  const timespec limit{.tv_sec = 0, .tv_nsec = milliseconds * 1'000'000L};
  return ppoll(&ready, 1, &limit, nullptr) == 0;
}
bool select_wait(int fd, int milliseconds) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fd, &set);
  timeval limit{.tv_sec = 0, .tv_usec = milliseconds * 1000L};
  return select(fd + 1, &set, nullptr, nullptr, &limit) == 0;
}
bool epoll_wait_on(int fd, int milliseconds) {
  const int set = epoll_create1(EPOLL_CLOEXEC);
  epoll_event wanted{.events = EPOLLIN, .data = {}}, got{};
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &wanted);
  const bool expired = epoll_wait(set, &got, 1, milliseconds) == 0;
  epoll_wait(set, &got, 1, 0); // event loops look once more before they go on: that is no wait
  close(set);
  return expired;
}

brownout::plan::Plan plan_with_waits() {
  auto plan = plan_for(kPort, "tracee");
  plan.drill.trace_waits = true;
  return plan;
}

}  // namespace

TEST_CASE("trace: a receive that ran into SO_RCVTIMEO makes the close a read timeout", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that([](const Steps&, int) {})};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = ask_with_timeout(300);
    if (!waits_in_vain(fd)) return 1;
    close(fd);
    return 0;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_READ_TIMEOUT);
  REQUIRE(event);
  check_failed_call(*event, client);
  CHECK(has(*event, BROWNOUT_EVENT_INFERRED) != receives_are_traced(watch));
  CHECK_FALSE(has(*event, BROWNOUT_EVENT_UNACKNOWLEDGED));
  CHECK(event->duration_ns >= 290'000'000);
  CHECK(client.wait() == 0);
  watch.drain();
  check_counted_once(watch);
}

TEST_CASE("trace: receives are watched once somebody in scope waits with SO_RCVTIMEO, not before", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  const auto before = watch.tracer().objects().links.size();
  Process server{"server", room.server(), server_that([](const Steps&, int fd) {
    send_text(fd, "answer");
    receive(fd);
    send_text(fd, "answer");
  })};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const int fd = connect_to(kServerAddress, kPort);
    for (const int milliseconds : {0, 20'000}) {
      steps.await();
      receive_timeout(fd, milliseconds);
      send_text(fd, "request");
      if (receive(fd).empty()) return 1;
    }
    return 0;
  }};
  client.tell();
  REQUIRE(watch.event(BROWNOUT_EVENT_CALL));
  CHECK(watch.tracer().objects().links.size() == before);
  client.tell();
  CHECK(client.wait() == 0);
  REQUIRE(watch.until([&] { return watch.count(BROWNOUT_EVENT_CALL) == 2; }));
  CHECK(watch.tracer().objects().links.size() == before + (receives_are_traced(watch) ? 1 : 0));
}

TEST_CASE("trace: receives are watched at once for a connection that waits with SO_RCVTIMEO already", "[netns]") {
  Room room;
  Process server{"server", room.server(), server_that(answers_when_told)};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const int fd = ask_with_timeout(100);
    if (receive(fd).empty()) return 1;
    steps.say('o');
    steps.await();
    send_text(fd, "request");
    if (!waits_in_vain(fd)) return 2;
    close(fd);
    return 0;
  }};
  server.tell(); // to answer the first request; it takes the second, and no more
  REQUIRE(client.await() == 'o');
  Watch watch{room, plan_for(kPort, "tracee")};
  client.tell();
  const auto event = watch.event(BROWNOUT_EVENT_READ_TIMEOUT);
  REQUIRE(event);
  CHECK(has(*event, BROWNOUT_EVENT_INFERRED) != receives_are_traced(watch));
  CHECK(client.wait() == 0);
}

TEST_CASE("trace: an answer after a receive that ran into SO_RCVTIMEO leaves no failure", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that(answers_when_told)};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const int fd = ask_with_timeout(100);
    if (!waits_in_vain(fd)) return 1;
    steps.say('w');
    if (receive(fd) != "answer") return 2;
    send_text(fd, "request"); // and gives up on the next without having waited
    await_acknowledged(fd);
    close(fd);
    return 0;
  }};
  REQUIRE(client.await() == 'w');
  server.tell();
  REQUIRE(client.wait() == 0);
  const auto event = watch.event(BROWNOUT_EVENT_CLOSED_UNANSWERED);
  REQUIRE(event);
  CHECK(has(*event, BROWNOUT_EVENT_INFERRED));
  watch.drain();
  CHECK(watch.count(BROWNOUT_EVENT_CALL) == 1);
  CHECK(watch.failures().size() == 1);
}

TEST_CASE("trace: waits: a full-length wait that ends in the close is a read timeout, whatever call waits", "[netns]") {
  struct Row { const char* name; bool (*wait)(int, int); };
  const auto row = GENERATE(Row{"poll", poll_wait}, Row{"ppoll", ppoll_wait}, Row{"select", select_wait},
                            Row{"epoll_wait", epoll_wait_on});
  CAPTURE(row.name);
  Room room;
  Watch watch{room, plan_with_waits()};
  Process server{"server", room.server(), server_that([](const Steps&, int) {})};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [row](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    send_text(fd, "request");
    const bool expired = row.wait(fd, 200);
    close(fd);
    return expired ? 0 : 1;
  }};
  const auto pid = static_cast<std::uint32_t>(client.pid());
  const auto event = watch.event(BROWNOUT_EVENT_READ_TIMEOUT);
  REQUIRE(event);
  check_failed_call(*event, client);
  CHECK_FALSE(has(*event, BROWNOUT_EVENT_INFERRED));
  CHECK(client.wait() == 0);
  watch.drain();
  check_counted_once(watch);
  const auto wait = watch.event(BROWNOUT_EVENT_WAIT_EXPIRED);
  REQUIRE(wait);
  CHECK(wait->cookie == 0); // a thread's, of no connection
  CHECK(wait->pid == pid);
  CHECK(std::string(wait->comm) == "tracee");
  CHECK(wait->cgroup_id == room.cgroup().id());
  CHECK(wait->duration_ns >= 200'000'000);
  CHECK(watch.counters().waits_expired == watch.count(BROWNOUT_EVENT_WAIT_EXPIRED));
}

TEST_CASE("trace: waits: a wait that was answered, or was of before the request, makes no read timeout", "[netns]") {
  Room room;
  Watch watch{room, plan_with_waits()};
  Process server{"server", room.server(), server_that([](const Steps&, int) {})};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    if (!poll_wait(fd, 50)) return 1;
    send_text(fd, "request");
    await_acknowledged(fd);
    std::array<int, 2> other{};
    if (pipe(other.data()) != 0 || write(other[1], "x", 1) != 1 || poll_wait(other[0], 1000)) return 2;
    close(fd);
    return 0;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_CLOSED_UNANSWERED);
  REQUIRE(event);
  CHECK(has(*event, BROWNOUT_EVENT_INFERRED));
  CHECK(client.wait() == 0);
  watch.drain();
  CHECK(watch.count(BROWNOUT_EVENT_READ_TIMEOUT) == 0);
}

TEST_CASE("trace: waits: those of other cgroups are not followed", "[netns]") {
  Room room;
  Watch watch{room, plan_with_waits()};
  Process other{"other", room.server(), [](const Steps&) { return poll_wait(-1, 50) ? 0 : 1; }};
  REQUIRE(other.wait() == 0);
  Process client{"tracee", room.client(), [](const Steps&) { return poll_wait(-1, 50) ? 0 : 1; }};
  const auto pid = static_cast<std::uint32_t>(client.pid());
  REQUIRE(client.wait() == 0);
  const auto wait = watch.event(BROWNOUT_EVENT_WAIT_EXPIRED);
  REQUIRE(wait);
  CHECK(std::ranges::all_of(watch.events(), [&](const auto& event) { return event.pid == pid; }));
}

TEST_CASE("trace: keepalives that nobody answers", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that([](const Steps&, int) {})};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const int fd = connect_to(kServerAddress, kPort);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 1);
    send_text(fd, "request");
    await_acknowledged(fd);
    steps.say('c');
    char byte = 0;
    return recv(fd, &byte, 1, 0) == -1 && errno == ETIMEDOUT ? 0 : 1;
  }};
  REQUIRE(client.await() == 'c');
  room.blackhole();
  const auto event = watch.event(BROWNOUT_EVENT_KEEPALIVE_ABORT);
  REQUIRE(event);
  check_failed_call(*event, client);
  CHECK(event->error == ETIMEDOUT);
  CHECK(event->rtos == 0);
  CHECK(client.wait() == 0);
  watch.drain();
  check_counted_once(watch);
  CHECK(watch.counters().timeout_aborts == 1);
}

TEST_CASE("trace: a peer that never opens its window again", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), [](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    set_option(listener, SOL_SOCKET, SO_RCVBUF, 4096);
    steps.say('l');
    accept4(listener, nullptr, nullptr, SOCK_CLOEXEC); // and reads nothing
    steps.await();
    return 0;
  }};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 1000);
    const std::string much(1 << 20, 'x');
    while (send(fd, much.data(), much.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
    pollfd broken{.fd = fd, .events = 0, .revents = 0};
    if (poll(&broken, 1, 30'000) != 1) return 1;
    char byte = 0;
    return recv(fd, &byte, 1, 0) == -1 && errno == ETIMEDOUT ? 0 : 2;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_ZERO_WINDOW_ABORT);
  REQUIRE(event);
  check_failed_call(*event, client);
  CHECK(event->error == ETIMEDOUT);
  CHECK(client.wait() == 0);
  watch.drain();
  CHECK(watch.failures().size() == 1);
  CHECK(watch.counters().timeout_aborts == 1);
}

TEST_CASE("trace: a reset that the target sends is an event, and no failure where nobody waited", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that([](const Steps&, int fd) {
    send_text(fd, "answer");
    receive(fd);
  })};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    send_text(fd, "request");
    if (receive(fd) != "answer") return 1;
    close_with_reset(fd);
    return 0;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_RESET_SENT);
  REQUIRE(event);
  CHECK(has(*event, BROWNOUT_EVENT_OWNER_KNOWN));
  CHECK(event->pid == static_cast<std::uint32_t>(client.pid()));
  CHECK(client.wait() == 0);
  watch.drain();
  CHECK(watch.counters().resets_sent == 1);
  CHECK(watch.failures().empty());
}

TEST_CASE("trace: a loss probe is told from what follows an RTO, and a close before the acknowledgement is flagged",
          "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that([](const Steps& steps, int fd) {
    send_text(fd, "answer");
    steps.await();
  })};
  REQUIRE(server.await() == 'l');
  const auto probes = snmp(room, "TcpExt.TCPLossProbes");
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const int fd = connect_to(kServerAddress, kPort);
    send_text(fd, "request");
    if (receive(fd) != "answer") return 1;
    steps.say('a');
    steps.await();
    send_text(fd, "request");
    receive(fd, 2000);
    close(fd);
    return 0;
  }};
  REQUIRE(client.await() == 'a');
  room.blackhole();
  client.tell();
  const auto probe = watch.event(BROWNOUT_EVENT_RETRANSMIT_PROBE);
  REQUIRE(probe);
  CHECK(probe->rtos == 0);
  const auto again = watch.event(BROWNOUT_EVENT_RETRANSMIT_RTO);
  REQUIRE(again);
  CHECK(again->rtos >= 1);
  CHECK(probe->t_mono_ns < again->t_mono_ns);
  const auto closed = watch.event(BROWNOUT_EVENT_CLOSED_UNANSWERED);
  REQUIRE(closed);
  CHECK(has(*closed, BROWNOUT_EVENT_UNACKNOWLEDGED));
  CHECK(client.wait() == 0);
  watch.drain();
  CHECK(watch.counters().retransmits_probe == watch.count(BROWNOUT_EVENT_RETRANSMIT_PROBE));
  CHECK(watch.counters().retransmits_probe == snmp(room, "TcpExt.TCPLossProbes") - probes);
}

}  // namespace kernel_trace_kinds_test
