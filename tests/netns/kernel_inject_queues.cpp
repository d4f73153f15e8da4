// SPDX-License-Identifier: MIT
// Several queues of the delay line for one direction: flows spread over them, and each keeps its order.
#include <catch2/catch_test_macros.hpp>

#include "support/inject_run.hpp"

namespace kernel_inject_queues_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kFlows = 16, kQueues = 3;
constexpr int kDatagrams = 150;

struct Flow {
  bool outwards;
  std::unique_ptr<DatagramPath> path;
};

std::vector<Flow> flows_both_ways(const VethRoom& room) {
  std::vector<Flow> flows;
  for (std::size_t i = 0; i < kFlows; ++i) {
    const auto port = static_cast<std::uint16_t>(7400 + i);
    const bool outwards = i % 2 == 0;
    flows.push_back({outwards, outwards ? std::make_unique<DatagramPath>(room.container(), kContainer4, room.host(), kHost4, port)
                                        : std::make_unique<DatagramPath>(room.host(), kHost4, room.container(), kContainer4, port)});
  }
  return flows;
}

std::size_t busy_queues(const nlohmann::json& line, std::string_view direction) {
  return static_cast<std::size_t>(std::ranges::count_if(line.at("scheduling"), [&](const nlohmann::json& queue) {
    return queue.at("direction") == direction && queue.at("received").get<std::uint64_t>() > 0;
  }));
}

}  // namespace

TEST_CASE("flows spread over the delay line's queues, each in order and late as planned", "[delay_line]") {
  const VethRoom room;
  {
    InjectRun run{room, plan_of({FaultBuilder::latency(40ms, 20ms)}), {.line_queues = kQueues}};
    auto flows = flows_both_ways(room);
    for (int i = 0; i < kDatagrams; ++i) {
      for (auto& flow : flows) flow.path->send();
      std::this_thread::sleep_for(1ms);
    }
    for (auto& flow : flows) {
      CHECK(flow.path->await(kDatagrams, 3s));
      const auto& arrivals = flow.path->stop();
      CHECK(in_order(arrivals));
      CHECK(std::ranges::all_of(arrivals, [](const Arrival& arrival) { return arrival.delay_ns() >= 20'000'000; }));
    }
    REQUIRE(run->detach());
    check_conservation(*run);
    const auto line = run->description()["delay_line"];
    CHECK(line["queues_per_direction"] == kQueues);
    // Eight flows by a hash of their own on three queues: all on one has a chance of 1 in 2,187.
    CHECK(busy_queues(line, "egress") > 1);
    CHECK(busy_queues(line, "ingress") > 1);
  }
  CHECK(room.leftovers() == "");
}

}  // namespace kernel_inject_queues_test
