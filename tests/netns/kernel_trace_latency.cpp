// SPDX-License-Identifier: MIT
// How long calls took: by destination, to the first byte and to the last; the slowest; and what is under way.
#include <array>

#include "support/trace_failures.hpp"

namespace kernel_trace_latency_test {

using namespace brownout::test;
using brownout::kernel::DestinationLatency;
using brownout::kernel::histogram_bucket_low_us;

namespace {

constexpr std::uint16_t kOtherPort = kPort + 1; // no fault hits it

std::uint64_t count_of(const DestinationLatency& latency) {
  std::uint64_t count = 0;
  for (const auto& [bucket, each] : latency.counts) count += each;
  return count;
}

std::uint64_t lowest_us(const DestinationLatency& latency) { return histogram_bucket_low_us(latency.counts.begin()->first); }

const DestinationLatency* find(const std::vector<DestinationLatency>& all, std::uint16_t port, brownout_latency latency) {
  const auto found = std::ranges::find_if(all, [&](const auto& one) {
    return one.destination && one.destination->port == port && one.latency == latency;
  });
  return found == all.end() ? nullptr : &*found;
}

// An answer in two parts, the second `milliseconds` after the first.
int serve_in_parts(std::uint16_t port, const Steps& steps, int milliseconds) {
  const int listener = listen_on(kServerAddress, port);
  steps.say('l');
  const int fd = accept(listener, nullptr, nullptr);
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  while (!receive(fd).empty()) {
    send_text(fd, "first");
    pause_ms(milliseconds);
    send_text(fd, "last");
  }
  return 0;
}

void call(int fd, const std::string& ends_with) {
  send_text(fd, "request");
  std::string answer;
  for (std::string part; !answer.ends_with(ends_with) && !(part = receive(fd)).empty();) answer += part;
}

}  // namespace

TEST_CASE("trace: latency is kept by destination, to the first byte of the answer and to the last", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort)};
  watch.tracer().set_phase(BROWNOUT_PHASE_BASELINE);
  Process parts{"server", room.server(), [](const Steps& steps) { return serve_in_parts(kPort, steps, 120); }};
  Process whole{"server", room.server(), [](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kOtherPort);
    steps.say('l');
    return serve(listener, 60);
  }};
  REQUIRE(parts.await() == 'l');
  REQUIRE(whole.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int one = connect_to(kServerAddress, kPort), other = connect_to(kServerAddress, kOtherPort);
    for (int i = 0; i < 3; ++i) call(one, "last");
    for (int i = 0; i < 5; ++i) call(other, "answer");
    close(one);
    close(other);
    return 0;
  }};
  CHECK(client.wait() == 0);
  const auto all = watch.tracer().latencies();
  const auto* first = find(all, kPort, BROWNOUT_LATENCY_FIRST);
  const auto* last = find(all, kPort, BROWNOUT_LATENCY_LAST);
  const auto* others_first = find(all, kOtherPort, BROWNOUT_LATENCY_FIRST);
  const auto* others_last = find(all, kOtherPort, BROWNOUT_LATENCY_LAST);
  REQUIRE((first != nullptr && last != nullptr && others_first != nullptr && others_last != nullptr));
  for (const auto* one : {first, last}) {
    CHECK(one->target);
    CHECK(one->phase == BROWNOUT_PHASE_BASELINE);
    CHECK(brownout::test::address_text(one->destination->address) == kServerAddress);
    CHECK(count_of(*one) == 3);
  }
  for (const auto* one : {others_first, others_last}) {
    CHECK_FALSE(one->target);
    CHECK(count_of(*one) == 5);
    CHECK(lowest_us(*one) >= 59'000);
  }
  CHECK(lowest_us(*first) < 100'000);
  CHECK(lowest_us(*last) >= 118'000);
  auto histogram = std::make_unique<brownout::kernel::Histogram>();
  watch.tracer().histogram(*histogram);
  std::uint64_t completed = 0;
  for (const auto count : histogram->counts[BROWNOUT_PHASE_BASELINE]) completed += count;
  CHECK(completed == 3);
}

constexpr std::uint16_t kMany = 40;
TEST_CASE("trace: destinations beyond the table are counted together", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort)};
  Process server{"server", room.server(), [](const Steps& steps) {
    std::vector<pollfd> all;
    for (std::uint16_t i = 0; i < kMany; ++i)
      all.push_back({.fd = listen_on(kServerAddress, static_cast<std::uint16_t>(9000 + i)), .events = POLLIN, .revents = 0});
    steps.say('l');
    while (poll(all.data(), all.size(), -1) > 0)
      for (auto& listener : all) {
        if (listener.revents == 0) continue;
        const int fd = accept(listener.fd, nullptr, nullptr);
        receive(fd);
        send_text(fd, "answer");
        close(fd);
      }
    return 0;
  }};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    for (std::uint16_t i = 0; i < kMany; ++i) {
      const int fd = connect_to(kServerAddress, static_cast<std::uint16_t>(9000 + i));
      call(fd, "answer");
      close(fd);
    }
    return 0;
  }};
  CHECK(client.wait() == 0);
  std::uint64_t apart = 0, together = 0;
  for (const auto& one : watch.tracer().latencies())
    if (one.latency == BROWNOUT_LATENCY_FIRST) (one.destination ? apart : together) += count_of(one);
  CHECK(apart == BROWNOUT_DESTINATIONS - BROWNOUT_DESTINATION_FIRST);
  CHECK(apart + together == kMany);
}

TEST_CASE("trace: over the budget of events the slowest call is still told", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort), 0};
  Process server{"server", room.server(), [](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    steps.say('l');
    const int fd = accept(listener, nullptr, nullptr);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    for (std::string request; !(request = receive(fd)).empty();) {
      if (request == "slow") pause_ms(150);
      send_text(fd, "answer");
    }
    return 0;
  }};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    for (int i = 0; i < 200; ++i) {
      send_text(fd, i == 100 ? "slow" : "fast");
      receive(fd);
    }
    close(fd);
    return 0;
  }};
  CHECK(client.wait() == 0);
  watch.drain();
  CHECK(watch.counters().calls_completed[1] == 200);
  CHECK(watch.count(BROWNOUT_EVENT_CALL) < 50);
  CHECK(std::ranges::any_of(watch.events(), [](const auto& event) {
    return event.kind == BROWNOUT_EVENT_CALL && event.duration_ns >= 149'000'000;
  }));
  CHECK(watch.count(BROWNOUT_EVENT_CALL) + watch.counters().details_suppressed == 202); // with connected and closed
}

TEST_CASE("trace: calls and connects under way are listed when asked for, once each time", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process server{"server", room.server(), server_that(answers_when_told)};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const int fd = connect_to(kServerAddress, kPort);
    const int idle = connect_to(kServerAddress, kPort); // in the backlog: open, and nothing asked
    send_text(fd, "request");
    const int connecting = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const auto nowhere = address("10.99.0.77", kPort);
    connect(connecting, nowhere.get(), nowhere.length);
    steps.say('w');
    steps.await();
    receive(fd);
    close(connecting);
    close(idle);
    close(fd);
    return 0;
  }};
  REQUIRE(client.await() == 'w');
  REQUIRE(watch.tracer().list_in_flight());
  watch.drain();
  REQUIRE(watch.count(BROWNOUT_EVENT_IN_FLIGHT) == 2);
  std::array<std::size_t, 2> by_kind{};
  for (const auto& event : watch.events()) {
    if (event.kind != BROWNOUT_EVENT_IN_FLIGHT) continue;
    ++by_kind[event.old_state == TCP_SYN_SENT ? 1 : 0];
    CHECK(event.pid == static_cast<std::uint32_t>(client.pid()));
    CHECK(event.call_start_ns > 0);
    CHECK(event.duration_ns > 0);
    CHECK((event.flags & BROWNOUT_EVENT_CALL_FAILED) == 0);
  }
  CHECK(by_kind == std::array<std::size_t, 2>{1, 1});
  server.tell();
  REQUIRE(watch.event(BROWNOUT_EVENT_CALL));
  client.tell();
  CHECK(client.wait() == 0);
  REQUIRE(watch.tracer().list_in_flight());
  watch.drain();
  CHECK(watch.count(BROWNOUT_EVENT_IN_FLIGHT) == 2);
}

}  // namespace kernel_trace_latency_test
