// SPDX-License-Identifier: MIT
// The books: what was seen against what the kernel counts by itself, and what could not be handed over.
#include "support/trace_sockets.hpp"
#include "support/trace_watch.hpp"

namespace kernel_trace_ledger_test {

using namespace brownout::test;

namespace {

void check_closed(const brownout_trace_counters& counters) {
  CHECK(counters.events_attempted == counters.events_written + counters.failures_lost + counters.details_lost);
}

Process::Body answering_server() {
  return [](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    steps.say('l');
    return serve(listener, 0);
  };
}

}  // namespace

TEST_CASE("trace: retransmits and RTOs agree with the kernel's own counters", "[netns]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), answering_server()};
  REQUIRE(server.await() == 'l');
  const auto retransmits = snmp(room, "Tcp.RetransSegs"), timeouts = snmp(room, "TcpExt.TCPTimeouts");
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const int fd = connect_to(kServerAddress, kPort);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 2000);
    steps.say('c');
    steps.await();
    send_text(fd, "request");
    receive(fd, 20'000);
    connect_within(kServerAddress, kPort, 2500); // and SYNs
    return 0;
  }};
  REQUIRE(client.await() == 'c');
  room.blackhole();
  client.tell();
  REQUIRE(client.wait() == 0);
  watch.drain();
  const auto counters = watch.counters();
  CHECK(counters.retransmits >= 4);
  CHECK(counters.rtos >= 4);
  CHECK(counters.retransmits == snmp(room, "Tcp.RetransSegs") - retransmits);
  CHECK(counters.rtos == snmp(room, "TcpExt.TCPTimeouts") - timeouts);
  CHECK(watch.count(BROWNOUT_EVENT_RTO) == counters.rtos);
  check_closed(counters);
}

TEST_CASE("trace: every count that the ledger holds agrees with the kernel's own, whatever fails", "[netns]") {
  struct Row { const char* name; std::function<std::uint64_t(const brownout_trace_counters&)> ours; bool bound; };
  const std::vector<Row> rows{
      {"Tcp.RetransSegs", [](const auto& c) { return c.retransmits + c.retransmits_synack; }, false},
      {"TcpExt.TCPTimeouts", [](const auto& c) { return c.rtos; }, true}, // SYN-ACK timers are in it, too
      {"TcpExt.TCPAbortOnTimeout", [](const auto& c) { return c.timeout_aborts; }, false},
      {"Tcp.EstabResets", [](const auto& c) { return c.established_resets; }, false},
      {"Tcp.AttemptFails", [](const auto& c) { return c.connects_failed; }, false},
      {"TcpExt.TCPLossProbes", [](const auto& c) { return c.retransmits_probe; }, false},
      {"Tcp.OutRsts", [](const auto& c) { return c.resets_sent; }, true}};
  Room room;
  run_in(room.client_netns(), {"sysctl", "-qw", "net.ipv4.tcp_syn_retries=1", "net.ipv4.tcp_syn_linear_timeouts=0"});
  Watch watch{room};
  Process server{"server", room.server(), [](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    steps.say('l');
    for (int i = 0; i < 2; ++i) close_with_reset(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    steps.await();
    connect_within(kClientAddress, kPort, 1500); // whose SYN-ACK is lost
    close(fd);
    return 0;
  }};
  REQUIRE(server.await() == 'l');
  std::vector<std::uint64_t> before;
  for (const auto& row : rows) before.push_back(snmp(room, row.name));
  Process client{"tracee", room.client(), [](const Steps& steps) {
    for (int i = 0; i < 3; ++i)
      if (connect_to(kServerAddress, kPort + 1) != -1) return 1; // refused
    for (int i = 0; i < 2; ++i) receive(connect_to(kServerAddress, kPort)); // reset
    const int fd = connect_to(kServerAddress, kPort);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 1200);
    const int listener = listen_on(kClientAddress, kPort);
    steps.say('c');
    steps.await();
    send_text(fd, "request");
    receive(fd, 20'000);                            // the kernel gives up
    connect_within(kServerAddress, kPort, 200);     // abandoned
    return connect_to(kServerAddress, kPort) == -1 && errno == ETIMEDOUT && listener >= 0 ? 0 : 2;
  }};
  REQUIRE(client.await() == 'c');
  room.blackhole();
  server.tell();
  client.tell();
  REQUIRE(client.wait() == 0);
  REQUIRE(server.wait() == 0);
  watch.drain();
  const auto counters = watch.counters();
  CHECK(counters.retransmits_synack >= 1);
  CHECK(counters.timeout_aborts == 2);
  CHECK(counters.established_resets >= 3);
  CHECK(counters.connects_failed == 4);
  CHECK(counters.out_of_scope_here == 0);
  CHECK(counters.source_disagreement == 0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(rows[i].name);
    const auto kernels = snmp(room, rows[i].name) - before[i];
    if (rows[i].bound)
      CHECK(rows[i].ours(counters) <= kernels);
    else
      CHECK(rows[i].ours(counters) == kernels);
  }
  CHECK(snmp(room, "TcpExt.TCPTimeouts") - before[1] <= counters.rtos + counters.retransmits_synack);
  check_closed(counters);
}

TEST_CASE("trace: details over the budget are suppressed and counted, failures never are", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort), 5};
  Process server{"server", room.server(), answering_server()};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    for (int i = 0; i < 2000; ++i)
      if (!send_text(fd, "request") || receive(fd).empty()) return 1;
    for (int i = 0; i < 20; ++i)
      if (connect_to("10.99.0.2", kPort + 1) != -1) return 1;
    return 0;
  }};
  REQUIRE(client.wait() == 0);
  watch.drain();
  const auto counters = watch.counters();
  CHECK(counters.calls_completed[1] == 2000);
  CHECK(watch.count(BROWNOUT_EVENT_CALL) + counters.details_suppressed >= 2000);
  CHECK(counters.details_suppressed > 1900);
  CHECK(watch.count(BROWNOUT_EVENT_CONNECT_REFUSED) == 20);
  CHECK(counters.details_lost == 0);
  CHECK(counters.failures_lost == 0);
  check_closed(counters);
  CHECK(watch.events().size() == counters.events_written);
}

TEST_CASE("trace: a ring that nobody empties loses events, counted by class, and leaves gaps in the sequence",
          "[netns]") {
  Room room;
  Watch watch{room};
  constexpr int kConnects = 48'000; // the ring holds some 43000 events
  Process client{"tracee", room.client(), [](const Steps&) {
    for (int i = 0; i < kConnects; ++i)
      if (connect_to(kServerAddress, kPort) != -1) return 1;
    return 0;
  }};
  REQUIRE(client.wait() == 0);
  const auto before = watch.counters();
  CHECK(before.events_attempted == kConnects);
  CHECK(before.failures_lost > 0);
  CHECK(before.failures_lost < kConnects / 4);
  CHECK(before.calls_failed[1] == kConnects);
  check_closed(before);
  watch.drain();
  CHECK(watch.events().size() == before.events_written);
  Process last{"tracee", room.client(), [](const Steps&) { return connect_to(kServerAddress, kPort) == -1 ? 0 : 1; }};
  REQUIRE(last.wait() == 0);
  watch.drain();
  CHECK(watch.events().back().sequence == kConnects + 1); // the gap is as large as the loss
  CHECK(watch.events().size() == kConnects + 1 - before.failures_lost);
}

TEST_CASE("trace: events carry rising times and numbers, each once", "[netns]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), answering_server()};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    for (int i = 0; i < 50; ++i) {
      const int fd = connect_to(kServerAddress, kPort);
      send_text(fd, "request");
      receive(fd);
      close(fd);
    }
    return 0;
  }};
  REQUIRE(client.wait() == 0);
  watch.drain();
  std::vector<std::uint64_t> sequences;
  for (const auto& event : watch.events()) sequences.push_back(event.sequence);
  std::ranges::sort(sequences);
  REQUIRE(sequences.size() == 150); // CONNECTED, CALL, CLOSED
  CHECK(sequences.front() == 1);
  CHECK(sequences.back() == 150);
  CHECK(std::ranges::adjacent_find(sequences) == sequences.end());
  const auto counters = watch.counters();
  CHECK(counters.connected[1] == 50);
  CHECK(counters.closed[1] == 50);
  // what is still under way: nothing
  CHECK(counters.connects[1] + counters.calls_started[1] ==
        counters.connected[1] + counters.calls_completed[1] + counters.calls_failed[1]);
}

}  // namespace kernel_trace_ledger_test
