// SPDX-License-Identifier: MIT
// Open connections that fail: one kind each, told from one another and from an ordinary close.
#include <bpf/bpf.h>

#include "support/trace_failures.hpp"

namespace kernel_trace_failures_test {

using namespace brownout::test;

TEST_CASE("trace: the application closes a call that nobody answered", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that([](const Steps&, int) {})};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    send_text(fd, "request");
    if (!receive(fd, 400).empty()) return 1;
    close(fd);
    return 0;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_CLOSED_UNANSWERED);
  REQUIRE(event);
  check_failed_call(*event, client);
  CHECK((event->flags & BROWNOUT_EVENT_INFERRED) != 0);
  CHECK(event->error == 0);
  CHECK(event->duration_ns >= 390'000'000);
  CHECK(event->duration_ns < 4'000'000'000);
  CHECK(client.wait() == 0);
  watch.drain();
  check_counted_once(watch);
  CHECK(watch.counters().closed[1] == 1);
  CHECK(watch.count(BROWNOUT_EVENT_CLOSED) == 0);
}

TEST_CASE("trace: what was injected on the flow since the call began is part of its failure", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that([](const Steps& steps, int) { steps.say('r'); })};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const int fd = connect_to(kServerAddress, kPort);
    steps.say('c');
    steps.await();
    send_text(fd, "request");
    steps.await();
    close(fd);
    return 0;
  }};
  REQUIRE(client.await() == 'c');
  const auto connected = watch.event(BROWNOUT_EVENT_CONNECTED);
  REQUIRE(connected);
  watch.tracer().control().deadline_boot_ns = 1; // as of an injector that was armed
  // In the injector's place: before the call, and during it.
  const auto inject = [&](std::uint64_t packets) {
    brownout_flow flow{};
    REQUIRE(bpf_map_lookup_elem(watch.tracer().flows_map_fd(), &connected->flow, &flow) == 0);
    CHECK(flow.traced == 1);
    flow.dropped[BROWNOUT_EGRESS] += packets;
    flow.held[BROWNOUT_INGRESS] += 10 * packets;
    REQUIRE(bpf_map_update_elem(watch.tracer().flows_map_fd(), &connected->flow, &flow, BPF_EXIST) == 0);
  };
  inject(5);
  client.tell();
  REQUIRE(server.await() == 'r');
  inject(3);
  client.tell();
  const auto event = watch.event(BROWNOUT_EVENT_CLOSED_UNANSWERED);
  REQUIRE(event);
  CHECK(event->dropped[BROWNOUT_EGRESS] == 3);
  CHECK(event->dropped[BROWNOUT_INGRESS] == 0);
  CHECK(event->held[BROWNOUT_EGRESS] == 0);
  CHECK(event->held[BROWNOUT_INGRESS] == 30);
}

TEST_CASE("trace: the peer closes instead of answering", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that([](const Steps&, int fd) { close(fd); })};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    send_text(fd, "request");
    receive(fd);
    close(fd);
    return 0;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_PEER_CLOSED_UNANSWERED);
  REQUIRE(event);
  check_failed_call(*event, client);
  CHECK((event->flags & BROWNOUT_EVENT_INFERRED) == 0);
  CHECK(event->new_state == TCP_CLOSE_WAIT);
  CHECK(client.wait() == 0);
  REQUIRE(watch.event(BROWNOUT_EVENT_CLOSED)); // the application's own close comes after it
  check_counted_once(watch);
}

TEST_CASE("trace: the peer closes a half-closed connection instead of answering", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that([](const Steps&, int fd) { close(fd); })};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    send_text(fd, "request");
    shutdown(fd, SHUT_WR); // "no more to ask": not a close, the answer is still wanted
    receive(fd);
    close(fd);
    return 0;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_PEER_CLOSED_UNANSWERED);
  REQUIRE(event);
  check_failed_call(*event, client);
  CHECK(client.wait() == 0);
  watch.drain();
  check_counted_once(watch);
}

TEST_CASE("trace: a half-close that is answered is no failure", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that([](const Steps&, int fd) {
    send_text(fd, "answer");
    close(fd);
  })};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    send_text(fd, "request");
    shutdown(fd, SHUT_WR);
    const bool answered = receive(fd) == "answer";
    close(fd);
    return answered ? 0 : 1;
  }};
  REQUIRE(watch.event(BROWNOUT_EVENT_CLOSED));
  CHECK(client.wait() == 0);
  watch.drain();
  CHECK(watch.failures().empty());
  CHECK(watch.counters().calls_completed[1] == 1);
  CHECK(watch.counters().closed[1] == 1);
}

TEST_CASE("trace: a reset instead of an answer", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that([](const Steps&, int fd) { close_with_reset(fd); })};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    send_text(fd, "request");
    char byte = 0;
    return recv(fd, &byte, 1, 0) == -1 && errno == ECONNRESET ? 0 : 1;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_RESET_RECEIVED);
  REQUIRE(event);
  check_failed_call(*event, client);
  CHECK(event->error == ECONNRESET);
  CHECK((event->flags & BROWNOUT_EVENT_INFERRED) == 0);
  CHECK(client.wait() == 0);
  watch.drain();
  check_counted_once(watch);
}

TEST_CASE("trace: a request on a connection that the peer has closed already", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), [](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    steps.say('l');
    close(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    steps.await();
    return 0;
  }};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    pollfd closed{.fd = fd, .events = POLLRDHUP, .revents = 0};
    poll(&closed, 1, 10'000);
    send_text(fd, "request"); // as a pool does that does not look first
    pollfd reset{.fd = fd, .events = 0, .revents = 0};
    poll(&reset, 1, 10'000);
    close(fd);
    return 0;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_RESET_RECEIVED);
  REQUIRE(event);
  check_failed_call(*event, client);
  CHECK(event->error == EPIPE);
  CHECK(client.wait() == 0);
  watch.drain();
  check_counted_once(watch);
}

TEST_CASE("trace: the kernel gives up on an open connection", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that([](const Steps&, int) {})};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const int fd = connect_to(kServerAddress, kPort);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 800);
    steps.say('c');
    steps.await();
    send_text(fd, "request");
    char byte = 0;
    return recv(fd, &byte, 1, 0) == -1 && errno == ETIMEDOUT ? 0 : 1;
  }};
  REQUIRE(client.await() == 'c');
  room.blackhole();
  client.tell();
  const auto event = watch.event(BROWNOUT_EVENT_KERNEL_GAVE_UP);
  REQUIRE(event);
  check_failed_call(*event, client);
  CHECK(event->error == ETIMEDOUT);
  CHECK(event->rtos >= 1);
  CHECK(event->retransmits >= 1);
  CHECK(client.wait() == 0);
  watch.drain();
  check_counted_once(watch);
  const auto& events = watch.events();
  CHECK(std::ranges::any_of(events, [](const auto& e) {
    return e.kind == BROWNOUT_EVENT_RTO && (e.flags & BROWNOUT_EVENT_EXPIRED) != 0 && e.call_start_ns != 0;
  }));
}

TEST_CASE("trace: after the application's close nothing more is reported, only counted", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that([](const Steps&, int) {})};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const int fd = connect_to(kServerAddress, kPort);
    steps.say('c');
    steps.await();
    send_text(fd, "request");
    receive(fd, 100);
    close(fd);
    return 0;
  }};
  REQUIRE(client.await() == 'c');
  room.blackhole();
  client.tell();
  const auto event = watch.event(BROWNOUT_EVENT_CLOSED_UNANSWERED);
  REQUIRE(event);
  const auto counted = watch.counters().retransmits;
  REQUIRE(watch.until([&] { return watch.counters().retransmits >= counted + 2; })); // the orphan goes on
  watch.drain();
  for (const auto& later : watch.events())
    if (later.sequence > event->sequence) CHECK_FALSE(is_retransmit(later));
  CHECK(watch.failures().size() == 1);
}

TEST_CASE("trace: an ordinary close, also with unread bytes, is no failure", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that([](const Steps&, int fd) { send_text(fd, "answer"); })};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    send_text(fd, "request");
    pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
    poll(&ready, 1, 10'000);
    close(fd); // unread: the kernel sends a reset, and the state goes to CLOSE at once
    return 0;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_CLOSED);
  REQUIRE(event);
  CHECK(event->error == 0);
  CHECK(event->call_start_ns == 0);
  CHECK(client.wait() == 0);
  watch.drain();
  CHECK(watch.failures().empty());
  CHECK(watch.counters().calls_completed[1] == 1);
  CHECK(watch.counters().closed[1] == 1);
}

}  // namespace kernel_trace_failures_test
