// SPDX-License-Identifier: MIT
// What bench/latency runs and prints; hidden, because it judges nothing.
#include <cstdlib>

#include <fmt/format.h>
#include <catch2/catch_test_macros.hpp>

#include "support/inject_run.hpp"

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

constexpr auto kInterval = 3ms;

int datagrams() {
  const char* wanted = std::getenv("BROWNOUT_BENCH_DATAGRAMS");
  return wanted ? std::atoi(wanted) : 500;
}

// Sends back what comes, from the container.
class Echo {
 public:
  explicit Echo(const VethRoom& room) : socket_(bound_in(room.container(), kContainer4, 7900, SOCK_DGRAM)) {
    thread_ = std::jthread{[this](const std::stop_token& stop) {
      std::array<char, 2048> buffer{};
      while (!stop.stop_requested()) {
        pollfd ready{socket_.get(), POLLIN, 0};
        if (::poll(&ready, 1, 20) != 1) continue;
        sockaddr_in from{};
        socklen_t size = sizeof from;
        const ssize_t got =
            ::recvfrom(socket_.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
        if (got > 0)
          static_cast<void>(!::sendto(socket_.get(), buffer.data(), static_cast<std::size_t>(got), 0,
                                      reinterpret_cast<sockaddr*>(&from), size));
      }
    }};
  }

 private:
  UniqueFd socket_;
  std::jthread thread_;
};

std::vector<std::int64_t> delays(const std::vector<Arrival>& arrivals) {
  std::vector<std::int64_t> all;
  for (const auto& arrival : arrivals) all.push_back(arrival.delay_ns());
  std::ranges::sort(all);
  return all;
}

std::vector<std::int64_t> one_way(const VethRoom& room, bool outwards, std::chrono::nanoseconds patience) {
  DatagramPath path = outwards ? DatagramPath{room.container(), kContainer4, room.host(), kHost4, 7901}
                               : DatagramPath{room.host(), kHost4, room.container(), kContainer4, 7902};
  path.send_paced(datagrams(), kInterval);
  path.await(static_cast<std::size_t>(datagrams()), patience);
  return delays(path.stop());
}

// Many on their way at once, each with its own time of sending in it.
std::vector<std::int64_t> round_trip(const VethRoom& room, std::chrono::nanoseconds patience) {
  const Echo echo{room};
  const UniqueFd socket = bound_in(room.host(), kHost4, 0, SOCK_DGRAM);
  const auto where = address(kContainer4, 7900);
  std::vector<std::int64_t> times;
  const auto collect = [&](int milliseconds) {
    pollfd ready{socket.get(), POLLIN, 0};
    while (::poll(&ready, 1, milliseconds) == 1) {
      std::int64_t sent = 0;
      if (::recv(socket.get(), &sent, sizeof sent, 0) == sizeof sent) times.push_back(monotonic_ns() - sent);
    }
  };
  auto next = std::chrono::steady_clock::now();
  for (int i = 0; i < datagrams(); ++i) {
    const std::int64_t now = monotonic_ns();
    static_cast<void>(::sendto(socket.get(), &now, sizeof now, 0, where.get(), where.length));
    next += kInterval;
    for (auto left = next - std::chrono::steady_clock::now(); left > 0ns;
         left = next - std::chrono::steady_clock::now()) {
      const timespec timeout{0, static_cast<long>(left.count())};
      pollfd ready{socket.get(), POLLIN, 0};
      if (::ppoll(&ready, 1, &timeout, nullptr) == 1) collect(0);
    }
  }
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (times.size() < static_cast<std::size_t>(datagrams()) && std::chrono::steady_clock::now() < deadline)
    collect(20);
  std::ranges::sort(times);
  return times;
}

double at(const std::vector<std::int64_t>& sorted, double quantile) {
  if (sorted.empty()) return 0;
  const auto index = static_cast<std::size_t>(quantile * static_cast<double>(sorted.size()));
  return static_cast<double>(sorted[std::min(index, sorted.size() - 1)]) / 1e6;
}

struct Paths {
  std::vector<std::int64_t> out, in, round;
};

Paths measure(const VethRoom& room, std::chrono::nanoseconds delay) {
  return {one_way(room, true, delay + 2s), one_way(room, false, delay + 2s), round_trip(room, 2 * delay + 2s)};
}

void print(const char* path, std::chrono::milliseconds planned, const std::vector<std::int64_t>& with,
           const std::vector<std::int64_t>& without) {
  const double base = at(without, 0.5);
  fmt::print("| {} | {} | {:.3f} | {:.3f} | {:.3f} | {} | {} |\n", path, planned.count(), at(with, 0.5) - base,
             at(with, 0.99) - base, at(with, 1) - base, with.size(),
             static_cast<std::size_t>(datagrams()) - with.size());
}

}  // namespace

TEST_CASE("added latency", "[.bench]") {
  const VethRoom room;
  const Paths without = measure(room, 0ms);
  fmt::print("| path | planned ms | added ms p50 | p99 | max | n | missing |\n|---|---|---|---|---|---|---|\n");
  for (const auto delay : {5ms, 100ms, 1500ms}) {
    InjectRun run{room, plan_of({FaultBuilder::latency(delay).protocol(IPPROTO_UDP)}, 1, 10min)};
    const Paths with = measure(room, delay);
    print("from the container", delay, with.out, without.out);
    print("to the container", delay, with.in, without.in);
    print("round trip", 2 * delay, with.round, without.round);
    REQUIRE(run->detach());
  }
}
