// SPDX-License-Identifier: MIT
// Calls: where they begin and end, how long they take, and what is none.
#include <sys/mman.h>

#include "support/trace_sockets.hpp"
#include "support/trace_watch.hpp"

namespace kernel_trace_calls_test {

using namespace brownout::test;
using brownout::kernel::Histogram;
using brownout::kernel::histogram_bucket_low_us;

namespace {

Process::Body answering_server(int delay_ms, std::string answer = "answer") {
  return [=](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    steps.say('l');
    return serve(listener, delay_ms, answer);
  };
}

std::uint64_t total(const Histogram& histogram, int phase) {
  std::uint64_t sum = 0;
  for (const auto count : histogram.counts.at(static_cast<std::size_t>(phase))) sum += count;
  return sum;
}

std::uint64_t median_us(const Histogram& histogram, int phase) {
  const auto wanted = total(histogram, phase) / 2;
  std::uint64_t seen = 0;
  const auto& counts = histogram.counts.at(static_cast<std::size_t>(phase));
  for (std::size_t bucket = 0; bucket < counts.size(); ++bucket)
    if ((seen += counts[bucket]) > wanted) return histogram_bucket_low_us(bucket);
  return 0;
}

// How long the calls took by the client's own clock; a child writes, the parent reads.
class Stopwatch {
 public:
  Stopwatch()
      : taken_us_(static_cast<std::uint64_t*>(mmap(nullptr, kCalls * sizeof(std::uint64_t), PROT_READ | PROT_WRITE,
                                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~Stopwatch() { munmap(taken_us_, kCalls * sizeof(std::uint64_t)); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  void set(int call, std::chrono::steady_clock::duration taken) {
    taken_us_[call] =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(taken).count());
  }
  double median(int first, int end) const {
    std::vector<std::uint64_t> sorted(taken_us_ + first, taken_us_ + end);
    std::ranges::sort(sorted);
    return static_cast<double>(sorted[sorted.size() / 2]);
  }

 private:
  static constexpr std::size_t kCalls = 1000;
  std::uint64_t* taken_us_;
};

int make_calls(int fd, int first, int end, Stopwatch* stopwatch = nullptr) {
  for (int i = first; i < end; ++i) {
    const auto start = std::chrono::steady_clock::now();
    if (!send_text(fd, "request") || receive(fd).empty()) return 1;
    if (stopwatch != nullptr) stopwatch->set(i, std::chrono::steady_clock::now() - start);
  }
  return 0;
}

std::string record(char type, std::size_t length) {
  return std::string{type, 3, 3, static_cast<char>(length >> 8), static_cast<char>(length & 255)} +
         std::string(length, 'x');
}

}  // namespace

TEST_CASE("trace: a hundred calls of 50 ms, in the phase in which each began", "[netns]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), answering_server(50)};
  REQUIRE(server.await() == 'l');
  Stopwatch stopwatch;
  Process client{"tracee", room.client(), [&](const Steps& steps) {
    const int fd = connect_to(kServerAddress, kPort);
    if (make_calls(fd, 0, 60, &stopwatch) != 0) return 1;
    steps.say('b');
    steps.await();
    return make_calls(fd, 60, 100, &stopwatch);
  }};
  REQUIRE(client.await() == 'b');
  watch.tracer().set_phase(BROWNOUT_PHASE_BASELINE);
  client.tell();
  REQUIRE(watch.until([&] { return watch.counters().calls_completed[1] == 100; }));
  REQUIRE(client.wait() == 0);
  Histogram histogram;
  watch.tracer().histogram(histogram);
  CHECK(total(histogram, BROWNOUT_PHASE_WAITING) == 60);
  CHECK(total(histogram, BROWNOUT_PHASE_BASELINE) == 40);
  // The client's own clock runs a little longer than the wire's; the server sleeps 50 ms in both.
  for (const auto& [phase, own] : {std::pair{BROWNOUT_PHASE_WAITING, stopwatch.median(0, 60)},
                                   std::pair{BROWNOUT_PHASE_BASELINE, stopwatch.median(60, 100)}}) {
    const auto seen = static_cast<double>(median_us(histogram, phase));
    CHECK(seen >= 50'000 * (1 - 1.0 / 64));
    CHECK(seen >= own * 0.95);
    CHECK(seen <= own * 1.05);
  }
  watch.drain();
  CHECK(watch.count(BROWNOUT_EVENT_CALL) == 100);
  CHECK(watch.counters().calls_started[1] == 100);
  CHECK(watch.counters().call_overlapped == 0);
  CHECK(watch.failures().empty());
  for (const auto& event : watch.events())
    if (event.kind == BROWNOUT_EVENT_CALL) CHECK(event.duration_ns == event.t_mono_ns - event.call_start_ns);
}

TEST_CASE("trace: requests and answers of many segments are one call each", "[netns]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), [](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    steps.say('l');
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    for (int call = 0; call < 5; ++call) {
      for (std::size_t got = 0; got < 300'000;) got += receive(fd).size();
      if (!send_text(fd, std::string(300'000, 'a'))) return 1;
    }
    steps.await();
    return 0;
  }};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    for (int call = 0; call < 5; ++call) {
      if (!send_text(fd, std::string(300'000, 'r'))) return 1;
      for (std::size_t got = 0; got < 300'000;) got += receive(fd).size();
    }
    return 0;
  }};
  REQUIRE(client.wait() == 0);
  REQUIRE(watch.event(BROWNOUT_EVENT_CLOSED));
  CHECK(watch.counters().calls_started[1] == 5);
  CHECK(watch.counters().calls_completed[1] == 5);
  CHECK(watch.failures().empty());
}

TEST_CASE("trace: what the server sends first or unasked is no call", "[netns]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), [](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    steps.say('l');
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    send_text(fd, "220 welcome");
    receive(fd);
    send_text(fd, "250 ok");
    steps.say('a');
    steps.await();
    send_text(fd, "news");
    steps.await();
    return 0;
  }};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const int fd = connect_to(kServerAddress, kPort);
    receive(fd);
    send_text(fd, "EHLO");
    receive(fd);
    steps.say('n');
    receive(fd);
    close(fd);
    return 0;
  }};
  REQUIRE(server.await() == 'a');
  REQUIRE(client.await() == 'n');
  server.tell();
  REQUIRE(watch.event(BROWNOUT_EVENT_CLOSED));
  CHECK(watch.counters().calls_started[1] == 1);
  CHECK(watch.counters().calls_completed[1] == 1);
}

TEST_CASE("trace: a request before the last answer ended is counted and is not answered by that answer's tail",
          "[netns]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), [](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    steps.say('l');
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    receive(fd);
    send_text(fd, "head of the answer");
    steps.await(); // the second request is out, and its packet lost
    send_text(fd, "tail of the answer");
    steps.await();
    return 0;
  }};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const int fd = connect_to(kServerAddress, kPort);
    send_text(fd, "request");
    receive(fd);
    steps.say('h');
    steps.await();
    send_text(fd, "another");
    steps.say('s');
    receive(fd);
    steps.await();
    close(fd);
    return 0;
  }};
  REQUIRE(client.await() == 'h');
  room.blackhole(); // only towards the server
  client.tell();
  REQUIRE(client.await() == 's');
  server.tell();
  REQUIRE(watch.until([&] { return watch.counters().call_overlapped == 1; }));
  CHECK(watch.counters().calls_started[1] == 2);
  CHECK(watch.counters().calls_completed[1] == 1);
  client.tell();
  REQUIRE(watch.event(BROWNOUT_EVENT_CLOSED_UNANSWERED));
}

TEST_CASE("trace: a second request on a busy connection is flagged as overlapping", "[netns]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), answering_server(300)};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    send_text(fd, "request");
    pause_ms(100); // acknowledged long since, and not answered
    send_text(fd, "another");
    return receive(fd).empty() ? 1 : 0;
  }};
  REQUIRE(client.wait() == 0);
  CHECK(watch.counters().call_overlapped == 1);
  CHECK(watch.counters().calls_started[1] == 1);
  CHECK(watch.counters().calls_completed[1] == 1);
}

TEST_CASE("trace: a TLS handshake is no call, application data is", "[netns]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), answering_server(0, record(0x17, 40))};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    const std::vector<std::string> flights{
        record(0x16, 300),                                      // ClientHello
        record(0x14, 1) + record(0x17, 53),                     // change cipher, Finished as TLS 1.3 hides it
        record(0x17, 200),                                      // call 1
        record(0x17, 90) + record(0x17, 2000),                  // call 2, two records
        record(0x15, 26),                                       // an alert
    };
    for (const auto& flight : flights) {
      send_text(fd, flight);
      if (receive(fd).empty()) return 1;
    }
    close(fd);
    return 0;
  }};
  REQUIRE(client.wait() == 0);
  REQUIRE(watch.event(BROWNOUT_EVENT_CLOSED));
  CHECK(watch.counters().calls_started[1] == 2);
  CHECK(watch.counters().calls_completed[1] == 2);
  for (const auto& event : watch.events())
    if (event.kind == BROWNOUT_EVENT_CALL) CHECK((event.flags & BROWNOUT_EVENT_TLS) != 0);
}

TEST_CASE("trace: TLS: the first call may share a packet with the end of the handshake", "[netns]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), answering_server(0, record(0x17, 40))};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    send_text(fd, record(0x16, 300));
    receive(fd);
    send_text(fd, record(0x14, 1) + record(0x17, 53) + record(0x17, 400));
    receive(fd);
    return 0;
  }};
  REQUIRE(client.wait() == 0);
  REQUIRE(watch.event(BROWNOUT_EVENT_CLOSED));
  CHECK(watch.counters().calls_started[1] == 1);
  CHECK(watch.counters().calls_completed[1] == 1);
}

TEST_CASE("trace: TLS: the peer's closing alert is no answer", "[netns]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), [](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    steps.say('l');
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    receive(fd);
    send_text(fd, record(0x16, 100));
    receive(fd);
    send_text(fd, record(0x15, 2));
    close(fd);
    steps.await();
    return 0;
  }};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    send_text(fd, record(0x16, 300));
    receive(fd);
    send_text(fd, record(0x17, 300));
    while (!receive(fd).empty()) {
    }
    return 0;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_PEER_CLOSED_UNANSWERED);
  REQUIRE(event);
  CHECK((event->flags & BROWNOUT_EVENT_TLS) != 0);
  CHECK(client.wait() == 0);
}

TEST_CASE("trace: calls over IPv6", "[netns]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), [](const Steps& steps) {
    const int listener = listen_on("fd99::2", kPort);
    steps.say('l');
    return serve(listener, 0);
  }};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) { return make_calls(connect_to("fd99::2", kPort), 0, 10); }};
  REQUIRE(client.wait() == 0);
  CHECK(watch.counters().calls_completed[1] == 10);
}

}  // namespace kernel_trace_calls_test
