// SPDX-License-Identifier: MIT
// Connections that the application closes in two steps, and event loops that close what other threads use.
#include <sys/syscall.h>

#include <fstream>
#include <thread>

#include "support/trace_failures.hpp"

namespace kernel_trace_half_close_test {

using namespace brownout::test;

namespace {

brownout::plan::Plan plan_with_waits() {
  auto plan = plan_for(kPort, "tracee");
  plan.drill.trace_waits = true;
  return plan;
}

bool wait_in_vain(int fd, int milliseconds) {
  pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
  const timespec limit{.tv_sec = 0, .tv_nsec = milliseconds * 1'000'000L};
  return ppoll(&ready, 1, &limit, nullptr) == 0;
}

// Until that thread of ours is inside ppoll().
void await_waiting(pid_t thread) {
  for (long number = -1; number != SYS_ppoll; pause_ms(1)) {
    std::ifstream file{"/proc/self/task/" + std::to_string(thread) + "/syscall"};
    if (!(file >> number)) number = -1; // "running"
  }
}

}  // namespace

TEST_CASE("trace: the application closes what it had half closed, and nobody is there", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that([](const Steps&, int) {})};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const int fd = connect_to(kServerAddress, kPort);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
    steps.say('c');
    steps.await();
    send_text(fd, "request");
    shutdown(fd, SHUT_WR); // as a Java channel does on its way to close(2), which now changes no state
    receive(fd, 300);
    close(fd);
    steps.say('d');
    steps.await();
    return 0;
  }};
  REQUIRE(client.await() == 'c');
  room.blackhole();
  client.tell();
  const auto aborted = snmp(room, "TcpExt.TCPAbortOnTimeout");
  REQUIRE(client.await() == 'd');
  const auto event = watch.event(BROWNOUT_EVENT_CLOSED_UNANSWERED);
  REQUIRE(event);
  check_failed_call(*event, client);
  CHECK((event->flags & BROWNOUT_EVENT_INFERRED) != 0);
  CHECK((event->flags & BROWNOUT_EVENT_UNACKNOWLEDGED) != 0);
  CHECK(event->error == 0);
  client.tell();
  CHECK(client.wait() == 0);
  REQUIRE(watch.until([&] { return snmp(room, "TcpExt.TCPAbortOnTimeout") > aborted; }));
  watch.drain(); // the kernel gave up, too: nobody's failure any more
  check_counted_once(watch);
}

TEST_CASE("trace: waits: a wait in vain that ends in a half-close is a read timeout, whatever the peer does then", "[netns]") {
  Room room;
  Watch watch{room, plan_with_waits()};
  Process server{"server", room.server(), server_that([](const Steps&, int fd) {
    receive(fd); // the end of the stream
    close(fd);
  })};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    send_text(fd, "request");
    if (!wait_in_vain(fd, 200)) return 1;
    shutdown(fd, SHUT_WR);
    pollfd closed{.fd = fd, .events = POLLRDHUP, .revents = 0};
    poll(&closed, 1, 10'000);
    close(fd);
    return 0;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_READ_TIMEOUT);
  REQUIRE(event);
  check_failed_call(*event, client);
  CHECK((event->flags & BROWNOUT_EVENT_INFERRED) == 0);
  CHECK(client.wait() == 0);
  watch.drain();
  check_counted_once(watch);
}

TEST_CASE("trace: waits: an event loop that was waiting when another thread sent the request", "[netns]") {
  Room room;
  Watch watch{room, plan_with_waits()};
  Process server{"server", room.server(), server_that([](const Steps&, int) {})};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    std::thread worker([fd, loop = gettid()] {
      await_waiting(loop);
      send_text(fd, "request");
    });
    const bool expired = wait_in_vain(fd, 500);
    close(fd);
    worker.join();
    return expired ? 0 : 1;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_READ_TIMEOUT);
  REQUIRE(event);
  check_failed_call(*event, client);
  CHECK((event->flags & BROWNOUT_EVENT_INFERRED) == 0);
  CHECK(client.wait() == 0);
  watch.drain();
  check_counted_once(watch);
}

}  // namespace kernel_trace_half_close_test
