// SPDX-License-Identifier: MIT
// Jitter on real traffic: in order unless the drill allows otherwise, and nothing lost or doubled on the way.
#include <set>

#include <catch2/catch_test_macros.hpp>

#include "support/decisions.hpp"
#include "support/flow_keys.hpp"
#include "support/inject_run.hpp"

namespace kernel_inject_order_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;
using drill::Distribution;

namespace {

constexpr int kDatagrams = 800;

std::vector<Arrival> send(const VethRoom& room, bool outwards, std::chrono::nanoseconds interval) {
  DatagramPath path = outwards ? DatagramPath{room.container(), kContainer4, room.host(), kHost4, 7301}
                               : DatagramPath{room.host(), kHost4, room.container(), kContainer4, 7302};
  path.send_paced(kDatagrams, interval);
  CHECK(path.await(kDatagrams, 5s));
  return path.stop();
}

std::size_t distinct(const std::vector<Arrival>& arrivals) {
  std::set<std::uint64_t> seen;
  for (const auto& arrival : arrivals) seen.insert(arrival.sequence);
  return seen.size();
}

}  // namespace

TEST_CASE("jitter of any distribution keeps a flow in order, both ways") {
  const VethRoom room;
  for (const auto distribution : {Distribution::kUniform, Distribution::kPareto}) {
    InjectRun run{room, plan_of({FaultBuilder::latency(30ms, 15ms).distribution(distribution)})};
    for (const bool outwards : {true, false}) {
      const auto arrivals = send(room, outwards, 500us);
      REQUIRE(arrivals.size() == kDatagrams);
      CHECK(distinct(arrivals) == kDatagrams);
      CHECK(in_order(arrivals));
    }
    REQUIRE(run->detach());
    check_conservation(*run);
    for (const auto& figures : run->delay_figures()) {
      CHECK(figures.packets >= kDatagrams);
      CHECK(figures.order_held > kDatagrams / 4);
      CHECK(figures.order_max_us > 5'000);
    }
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("with reorder packets overtake, and each is as late as was decided for it") {
  const VethRoom room;
  {
    const auto plan = plan_of(
        {FaultBuilder::latency(30ms, 15ms).distribution(Distribution::kNormal).protocol(IPPROTO_UDP).reorder()});
    InjectRun run{room, plan};
    DatagramPath path{room.container(), kContainer4, room.host(), kHost4, 7303};
    sockaddr_in from{};
    socklen_t size = sizeof from;
    REQUIRE(::getsockname(path.sender(), reinterpret_cast<sockaddr*>(&from), &size) == 0);
    path.send_paced(kDatagrams, 500us);
    CHECK(path.await(kDatagrams, 5s));
    const auto arrivals = path.stop();
    REQUIRE(arrivals.size() == kDatagrams);
    CHECK(distinct(arrivals) == kDatagrams);
    CHECK_FALSE(in_order(arrivals));

    const auto key = flow_key(kContainer4, ntohs(from.sin_port), kHost4, 7303, IPPROTO_UDP);
    const auto state = flow_state_of(plan.seed, key, BROWNOUT_EGRESS);
    std::vector<std::int64_t> late;
    for (const auto& arrival : arrivals) {
      const auto decided = std::max<std::int64_t>(decided_delay(plan, 0, state, arrival.sequence), 0);
      late.push_back(arrival.delay_ns() - decided);
    }
    std::ranges::sort(late);
    CHECK(late.front() >= 0);
    CHECK(late[late.size() / 2] < lateness_ns());
    REQUIRE(run->detach());
    check_conservation(*run);
    CHECK(run->delay_figures()[BROWNOUT_EGRESS].packets == kDatagrams);
    CHECK(run->delay_figures()[BROWNOUT_EGRESS].order_held == 0);
  }
  CHECK(room.leftovers() == "");
}

}  // namespace kernel_inject_order_test
