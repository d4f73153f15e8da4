// SPDX-License-Identifier: MIT
// The delay line on real traffic: how late, in which order, and that nothing is lost or changed.
#include <algorithm>
#include <random>

#include <netinet/udp.h>
#include <catch2/catch_test_macros.hpp>

#include "brownout/digest.hpp"
#include "support/inject_run.hpp"

namespace kernel_inject_latency_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

std::string noise(std::size_t size) {
  std::mt19937_64 generator{size};
  std::string data(size, '\0');
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    const auto word = generator();
    std::memcpy(data.data() + i, &word, 8);
  }
  return data;
}

std::vector<Arrival> send_one_way(const VethRoom& room, bool outwards, int count, std::chrono::nanoseconds patience) {
  const std::uint16_t port = outwards ? 7001 : 7002;
  DatagramPath path = outwards ? DatagramPath{room.container(), kContainer4, room.host(), kHost4, port}
                               : DatagramPath{room.host(), kHost4, room.container(), kContainer4, port};
  path.send_paced(count, 2ms);
  CHECK(path.await(static_cast<std::size_t>(count), patience));
  CHECK(path.refused() == 0);
  return path.stop();
}

void check_latency(const VethRoom& room, std::chrono::nanoseconds delay) {
  InjectRun run{room, plan_of({FaultBuilder::latency(delay).protocol(IPPROTO_UDP)})};
  for (const bool outwards : {true, false}) {
    INFO((outwards ? "outwards " : "inwards ") << delay.count());
    const auto arrivals = send_one_way(room, outwards, 150, delay + 2s);
    REQUIRE(arrivals.size() == 150);
    CHECK(in_order(arrivals));
    const auto median = median_delay(arrivals);
    CHECK(median >= delay.count());
    CHECK(median < delay.count() + std::max<std::int64_t>(delay.count() / 20, lateness_ns()));
    for (const auto& arrival : arrivals) CHECK(arrival.delay_ns() >= delay.count());
  }
  REQUIRE(run->detach());
  check_conservation(*run);
  const auto applied = run->fault_counters();
  CHECK(applied.at(BROWNOUT_EGRESS).applied.packets == 150);
  CHECK(applied.at(BROWNOUT_INGRESS).applied.packets == 150);
}

}  // namespace

TEST_CASE("packets are as late as planned, both ways") {
  const VethRoom room;
  check_latency(room, 5ms);
  check_latency(room, 100ms);
  CHECK(room.leftovers() == "");
}

TEST_CASE("jitter stays within its bounds and keeps the order") {
  const VethRoom room;
  {
    InjectRun run{room, plan_of({FaultBuilder::latency(20ms, 10ms)})};
    const auto arrivals = send_one_way(room, true, 400, 3s);
    REQUIRE(arrivals.size() == 400);
    CHECK(in_order(arrivals));
    std::int64_t least = arrivals[0].delay_ns();
    for (const auto& arrival : arrivals) {
      CHECK(arrival.delay_ns() >= 10'000'000);
      least = std::min(least, arrival.delay_ns());
    }
    CHECK(least < 18'000'000 + lateness_ns());
    CHECK(median_delay(arrivals) < 29'000'000 + lateness_ns());
    REQUIRE(run->detach());
    check_conservation(*run);
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("streams with segmentation offload come through the line whole") {
  const VethRoom room;
  const std::string data = noise(bulk(48));
  const std::string digest = sha256(data);
  {
    InjectRun run{room, plan_of({FaultBuilder::latency(2ms)})};
    CHECK(sha256(stream(room.host(), room.container(), kContainer4, 7101, data)) == digest);
    CHECK(sha256(stream(room.container(), room.host(), kHost4, 7102, data)) == digest);
    CHECK(sha256(stream(room.host(), room.container(), kContainer6, 7103, data)) == digest);
    CHECK(sha256(stream(room.container(), room.host(), kHost6, 7104, data)) == digest);
    const auto counters = run->counters();
    // Super-packets were held as such: many more segments than packets.
    CHECK(counters.redirected[BROWNOUT_INGRESS].segments > 4 * counters.redirected[BROWNOUT_INGRESS].packets);
    REQUIRE(run->detach());
    check_conservation(*run);
    CHECK(run->line_counters()[0].device_drops == 0);
    CHECK(run->counters().redirect_failed[BROWNOUT_INGRESS] == 0);
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("a segmented UDP send keeps its datagrams") {
  const VethRoom room;
  {
    InjectRun run{room, plan_of({FaultBuilder::latency(5ms)})};
    const UniqueFd receiver = bound_in(room.container(), kContainer4, 7201, SOCK_DGRAM);
    const UniqueFd sender = socket_in(room.host(), kContainer4, SOCK_DGRAM);
    set_option(sender.get(), SOL_UDP, UDP_SEGMENT, 1000);
    const std::string data = noise(20'000);
    const auto where = address(kContainer4, 7201);
    REQUIRE(::sendto(sender.get(), data.data(), data.size(), 0, where.get(), where.length) == 20'000);
    std::string got;
    char datagram[2000];
    for (int i = 0; i < 20; ++i) {
      pollfd ready{receiver.get(), POLLIN, 0};
      REQUIRE(::poll(&ready, 1, 2000) == 1);
      const ssize_t n = ::recv(receiver.get(), datagram, sizeof datagram, 0);
      CHECK(n == 1000);
      got.append(datagram, static_cast<std::size_t>(n));
    }
    CHECK((got == data));  // not for printing
    REQUIRE(run->detach());
    check_conservation(*run);
  }
  CHECK(room.leftovers() == "");
}

}  // namespace kernel_inject_latency_test
