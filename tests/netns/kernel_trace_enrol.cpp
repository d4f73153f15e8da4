// SPDX-License-Identifier: MIT
// Connections that were open before the tracer came.
#include "support/trace_sockets.hpp"
#include "support/trace_watch.hpp"

namespace kernel_trace_enrol_test {

using namespace brownout::test;

namespace {

Process::Body pool_server(int answers) {
  return [=](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    steps.say('l');
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    for (int i = 0; i < answers; ++i) {
      receive(fd);
      send_text(fd, "answer");
    }
    receive(fd);
    steps.say('r');
    steps.await();
    return 0;
  };
}

// One connection opened now, calls on it at the parent's word, and a last one that fails.
int pooled_client(const Steps& steps, int calls, int user_timeout_ms) {
  const int fd = connect_to(kServerAddress, kPort);
  if (user_timeout_ms > 0) set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms);
  steps.say('o');
  for (int i = 0; i < calls; ++i) {
    steps.await();
    send_text(fd, "request");
    if (receive(fd).empty()) return 1;
    steps.say('a');
  }
  steps.await();
  send_text(fd, "request");
  receive(fd, user_timeout_ms > 0 ? 20'000 : 300);
  close(fd);
  return 0;
}

constexpr std::size_t kFlooded = 32;

// Both ways at once, as much as there is room for, until the process is ended.
int flood(const std::vector<int>& connections) {
  std::vector<pollfd> all;
  for (const int fd : connections) all.push_back({.fd = fd, .events = POLLIN | POLLOUT, .revents = 0});
  std::string bytes(2048, 'f');
  for (;;) {
    if (poll(all.data(), all.size(), -1) < 0) return 1;
    for (const auto& one : all) {
      if ((one.revents & POLLIN) != 0) recv(one.fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if ((one.revents & POLLOUT) != 0) send(one.fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
  }
}

int flood_accepted(const Steps& steps) {
  const int listener = listen_on(kServerAddress, kPort);
  steps.say('l');
  std::vector<int> connections;
  while (connections.size() < kFlooded) connections.push_back(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  return flood(connections);
}

int flood_connected(const Steps& steps) {
  std::vector<int> connections;
  while (connections.size() < kFlooded) connections.push_back(connect_to(kServerAddress, kPort));
  steps.say('o');
  return flood(connections);
}

}  // namespace

TEST_CASE("trace: a connection opened before is counted, and its failure seen with its owner", "[netns]") {
  Room room;
  Process server{"server", room.server(), pool_server(3)};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps& steps) { return pooled_client(steps, 3, 0); }};
  REQUIRE(client.await() == 'o');
  Watch watch{room, plan_for(kPort, "tracee")};
  CHECK(watch.counters().preexisting[1] == 1);
  CHECK(watch.counters().owner_unknown == 0);
  for (int i = 0; i < 3; ++i) {
    client.tell();
    REQUIRE(client.await() == 'a');
  }
  CHECK(watch.counters().calls_started[1] == 3);
  CHECK(watch.counters().calls_completed[1] == 3);
  client.tell();
  const auto event = watch.event(BROWNOUT_EVENT_CLOSED_UNANSWERED);
  REQUIRE(event);
  CHECK((event->flags & BROWNOUT_EVENT_PREEXISTING) != 0);
  CHECK((event->flags & BROWNOUT_EVENT_OWNER_KNOWN) != 0);
  CHECK((event->flags & BROWNOUT_EVENT_CALL_FAILED) != 0);
  CHECK(event->pid == static_cast<std::uint32_t>(client.pid()));
  CHECK(std::string(event->comm) == "tracee");
  CHECK(address_text(event->flow.local_address) == kClientAddress);
  CHECK(event->cgroup_id == room.cgroup().id());
  CHECK(client.wait() == 0);
}

TEST_CASE("trace: RTOs of a connection opened before are seen where the kernel allows it, else said to be unseen",
          "[netns]") {
  Room room;
  Process server{"server", room.server(), pool_server(0)};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps& steps) { return pooled_client(steps, 0, 800); }};
  REQUIRE(client.await() == 'o');
  Watch watch{room, plan_for(kPort, "tracee")};
  room.blackhole();
  client.tell();
  const auto event = watch.event(BROWNOUT_EVENT_KERNEL_GAVE_UP);
  REQUIRE(event);
  CHECK((event->flags & BROWNOUT_EVENT_PREEXISTING) != 0);
  CHECK(event->retransmits >= 1);
  const auto not_observed = watch.tracer().not_observed();
  const bool said = std::ranges::any_of(not_observed, [](const auto& line) { return line.starts_with("RTOs of 1 of 1"); });
  CHECK(said == ((event->flags & BROWNOUT_EVENT_NO_RTO) != 0));
  if (!said) CHECK(event->rtos >= 1);
  CHECK(watch.detach());
}

TEST_CASE("trace: connections that the target accepted before are left alone", "[netns]") {
  Room room;
  Process server{"server", room.client(), [](const Steps& steps) { // the target is the server
    const int listener = listen_on(kClientAddress, kPort);
    steps.say('l');
    return serve(listener, 0);
  }};
  REQUIRE(server.await() == 'l');
  Process client{"outside", room.server(), [](const Steps& steps) {
    const int fd = connect_to(kClientAddress, kPort);
    steps.say('o');
    steps.await();
    send_text(fd, "request");
    return receive(fd).empty() ? 1 : 0;
  }};
  REQUIRE(client.await() == 'o');
  Watch watch{room};
  client.tell();
  REQUIRE(client.wait() == 0);
  watch.drain();
  CHECK(watch.counters().preexisting[0] + watch.counters().preexisting[1] == 0);
  CHECK(watch.counters().calls_started[0] + watch.counters().calls_started[1] == 0);
  CHECK(watch.events().empty());
}

TEST_CASE("trace: a connect that is under way when we come is followed to its end", "[netns]") {
  Room room;
  room.blackhole();
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const auto where = address(kServerAddress, kPort);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(fd, where.get(), where.length);
    steps.say('s');
    steps.await();
    close(fd);
    return 0;
  }};
  REQUIRE(client.await() == 's');
  Watch watch{room, plan_for(kPort, "tracee")};
  client.tell();
  const auto event = watch.event(BROWNOUT_EVENT_CONNECT_ABANDONED);
  REQUIRE(event);
  CHECK((event->flags & BROWNOUT_EVENT_PREEXISTING) != 0);
  CHECK(event->pid == static_cast<std::uint32_t>(client.pid()));
}

TEST_CASE("trace: connections that packets of both directions and the walk over the sockets find at once are followed",
          "[netns]") {
  Room room;
  Process server{"server", room.server(), flood_accepted};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), flood_connected};
  REQUIRE(client.await() == 'o');
  for (int attached = 0; attached < 10; ++attached) {
    Watch watch{room, plan_for(kPort, "tracee")};
    const auto counters = watch.counters();
    CHECK(counters.storage_failed == 0);
    CHECK(counters.preexisting[1] == kFlooded);
    CHECK(counters.rtos_unseen == 0);
    REQUIRE(watch.detach());
  }
}

}  // namespace kernel_trace_enrol_test
