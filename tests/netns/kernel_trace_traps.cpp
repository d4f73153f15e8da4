// SPDX-License-Identifier: MIT
// What a tracer of timeouts gets wrong easily: docs/timeouts.md.
#include <catch2/generators/catch_generators.hpp>

#include "support/trace_sockets.hpp"
#include "support/trace_watch.hpp"

namespace kernel_trace_traps_test {

using namespace brownout::test;

namespace {

constexpr const char* kNobody = "10.99.0.77"; // its MAC address is nobody's

void write_sysctl(pid_t netns_of, const std::string& name, const std::string& value) {
  run_in(netns_of, {"sh", "-c", "echo " + value + " > /proc/sys/net/ipv4/" + name});
}

// Makes a socket in one cgroup and goes to another.
void move_to(const std::filesystem::path& cgroup) {
  const int procs = open((cgroup / "cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
  if (procs < 0 || write(procs, "0", 1) != 1) _exit(95);
  close(procs);
}

// A server in the client's namespace whose listener is made in one cgroup and served from another. Its answers are
// lost, so that its side of the connection retransmits.
Process::Body moving_server(const Room& room, const std::filesystem::path& to) {
  return [&room, to](const Steps& steps) {
    const int listener = listen_on(kClientAddress, kPort);
    move_to(to);
    steps.say('l');
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    receive(fd);
    room.blackhole();
    send_text(fd, "answer");
    steps.await();
    return 0;
  };
}

Process::Body asking_client() {
  return [](const Steps& steps) {
    const int fd = connect_to(kClientAddress, kPort);
    send_text(fd, "request");
    steps.await();
    return 0;
  };
}

}  // namespace

TEST_CASE("trace: the first SYNs go out at even intervals where the kernel wants it so", "[netns]") {
  Room room;
  run_in(room.client_netns(), {"ip", "neigh", "replace", kNobody, "lladdr", "02:00:00:00:00:77", "dev", "a0", "nud",
                               "permanent"});
  write_sysctl(room.client_netns(), "tcp_syn_retries", "1");
  write_sysctl(room.client_netns(), "tcp_syn_linear_timeouts", "2"); // since Linux 6.5
  Watch watch{room, plan_for(kPort, "tracee")};
  Process client{"tracee", room.client(), [](const Steps&) { return connect_to(kNobody, kPort) == -1 ? 0 : 1; }};
  const auto event = watch.event(BROWNOUT_EVENT_CONNECT_TIMEOUT);
  REQUIRE(event);
  CHECK(client.wait() == 0);
  watch.drain();
  std::vector<std::uint64_t> seconds;
  for (const auto& rto : watch.events())
    if (rto.kind == BROWNOUT_EVENT_RTO) seconds.push_back((rto.rto_us + 500'000) / 1'000'000);
  CHECK(seconds == std::vector<std::uint64_t>{1, 1, 1}); // doubling would take as long with one SYN less: 1, 2
  CHECK(event->rtos == 3);
  CHECK(event->retransmits == 2);
  CHECK(event->duration_ns >= 2'900'000'000);
  CHECK(event->duration_ns < 4'500'000'000);
}

TEST_CASE("trace: a socket belongs to the cgroup that it was made in", "[netns]") {
  Room room;
  Cgroup other{"brownout-trace-other-" + std::to_string(getpid())};
  const auto connect_after_move = [](const std::filesystem::path& to) {
    return [to](const Steps&) {
      const auto where = address(kServerAddress, kPort);
      const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      move_to(to);
      return connect(fd, where.get(), where.length) == -1 && errno == ECONNREFUSED ? 0 : 1;
    };
  };
  Watch watch{room};
  Process inward{"inward", {.netns_of = room.client_netns(), .cgroup = other.path()},
                 connect_after_move(room.cgroup().path())};
  REQUIRE(inward.wait() == 0);
  REQUIRE(watch.until([&] { return watch.counters().out_of_scope > 0; }));
  watch.drain();
  CHECK(watch.events().empty());
  Process outward{"outward", room.client(), connect_after_move(other.path())};
  const auto event = watch.event(BROWNOUT_EVENT_CONNECT_REFUSED);
  REQUIRE(event);
  CHECK(std::string(event->comm) == "outward");
  CHECK(event->cgroup_id == room.cgroup().id());
  CHECK(outward.wait() == 0);
}

TEST_CASE("trace: an accepted connection is its listener's, whoever serves it", "[netns]") {
  Room room;
  Cgroup other{"brownout-trace-other-" + std::to_string(getpid())};
  Watch watch{room};
  const bool listener_inside = GENERATE(true, false);
  CAPTURE(listener_inside);
  const auto from = listener_inside ? room.cgroup().path() : other.path();
  const auto to = listener_inside ? other.path() : room.cgroup().path();
  Process server{"server", {.netns_of = room.client_netns(), .cgroup = from}, moving_server(room, to)};
  REQUIRE(server.await() == 'l');
  Process client{"client", room.server(), asking_client()};
  if (listener_inside) {
    REQUIRE(watch.until([&] { return watch.counters().retransmits >= 2; }));
  } else {
    REQUIRE(watch.until([&] { return watch.counters().out_of_scope >= 2; }));
    CHECK(watch.counters().retransmits == 0);
  }
  watch.drain();
  CHECK(watch.events().empty()); // who is asked has no calls
}

}  // namespace kernel_trace_traps_test
