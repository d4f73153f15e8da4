// SPDX-License-Identifier: MIT
// What bench/order runs and prints: many packets with jitter, and what became of each. Hidden, because it takes long.
#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <catch2/catch_test_macros.hpp>

#include "support/decisions.hpp"
#include "support/flow_keys.hpp"
#include "support/inject_run.hpp"

namespace kernel_order_bench_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;
using drill::Distribution;

namespace {

constexpr std::size_t kFlows = 4;
constexpr auto kInterval = 40us;  // all flows of a direction together

// Those that work here.
std::vector<kernel::Means> backends() {
  std::vector<kernel::Means> all;
  for (const auto backend : {drill::Backend::kEdt, drill::Backend::kDelayLine})
    if (const auto means = kernel::choose_means(backend, true))
      all.push_back(*means);
    else
      fmt::print("Not measured: {}: {}\n\n", drill::backend_name(backend), means.error().what);
  return all;
}

std::size_t packets_wanted() {
  const char* wanted = std::getenv("BROWNOUT_BENCH_PACKETS");
  return wanted ? std::strtoul(wanted, nullptr, 10) : 1'000'000;
}

struct Outcome {
  std::size_t sent = 0, arrived = 0, out_of_order = 0, doubled = 0;
};

void add_flow(const std::vector<Arrival>& arrivals, std::size_t sent, Outcome& outcome) {
  outcome.sent += sent;
  outcome.arrived += arrivals.size();
  std::vector<bool> seen(sent);
  std::uint64_t next = 0;
  for (const auto& arrival : arrivals) {
    outcome.out_of_order += arrival.sequence < next;
    next = std::max(next, arrival.sequence + 1);
    outcome.doubled += seen.at(arrival.sequence);
    seen[arrival.sequence] = true;
  }
}

// In turn over all flows; then as long as anything still comes.
Outcome send(const VethRoom& room, bool outwards, std::size_t packets) {
  std::vector<std::unique_ptr<DatagramPath>> flows;
  for (std::size_t i = 0; i < kFlows; ++i) {
    const auto port = static_cast<std::uint16_t>((outwards ? 7700 : 7800) + i);
    flows.push_back(outwards ? std::make_unique<DatagramPath>(room.container(), kContainer4, room.host(), kHost4, port)
                             : std::make_unique<DatagramPath>(room.host(), kHost4, room.container(), kContainer4, port));
  }
  auto next = std::chrono::steady_clock::now();
  std::size_t refused = 0;
  for (std::size_t i = 0; i < packets; ++i) {
    refused += !flows[i % kFlows]->send();
    std::this_thread::sleep_until(next += kInterval);
  }
  CHECK(refused == 0);
  Outcome outcome;
  for (auto& flow : flows) {
    static_cast<void>(flow->await(flow->sent(), 2s));
    add_flow(flow->stop(), flow->sent(), outcome);
  }
  return outcome;
}

std::uint64_t lost_and_counted(kernel::Injector& injector) {
  std::uint64_t lost = 0;
  for (const auto& line : injector.line_counters())
    lost += line.overflow + line.expired + line.write_errors + line.device_drops;
  return lost;
}

void print_row(std::string_view backend, std::string_view direction, const Outcome& outcome,
               const kernel::DelayFigures& figures) {
  fmt::print("| {} | {} | {} | {} | {} | {} | {:.3f} | {:.3f} | {} | {:.3f} | {:.3f} |\n", backend, direction,
             outcome.sent, outcome.arrived, outcome.out_of_order, outcome.doubled,
             static_cast<double>(figures.decided_p50_us) / 1e3, static_cast<double>(figures.decided_p99_us) / 1e3,
             figures.order_held, static_cast<double>(figures.order_p50_us) / 1e3,
             static_cast<double>(figures.order_p99_us) / 1e3);
}

}  // namespace

TEST_CASE("order under jitter", "[.bench]") {
  const VethRoom room;
  const auto all = backends();
  fmt::print("| backend | direction | sent | arrived | out of order | doubled | drawn ms p50 | p99 | waited for order | "
             "added ms p50 | p99 |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const auto& means : all) {
    auto plan = plan_of({FaultBuilder::latency(20ms, 10ms).distribution(Distribution::kPareto).protocol(IPPROTO_UDP)}, 1,
                        1h);
    const auto backend = drill::backend_name(*means.backend);
    InjectRun run{room, std::move(plan), {.means = means}};
    const auto out = send(room, true, packets_wanted() / 2), in = send(room, false, packets_wanted() / 2);
    REQUIRE(run->detach());
    const auto figures = run->delay_figures();
    print_row(backend, "from the container", out, figures[BROWNOUT_EGRESS]);
    print_row(backend, "to the container", in, figures[BROWNOUT_INGRESS]);
    check_conservation(*run);
    CHECK(out.out_of_order + in.out_of_order == 0);
    CHECK(out.doubled + in.doubled == 0);
    CHECK(out.sent + in.sent == out.arrived + in.arrived + lost_and_counted(*run));
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("realised against decided", "[.bench]") {
  const VethRoom room;
  const auto all = backends();
  fmt::print("| backend | distribution | n | realised minus decided ms p50 | p99 | max |\n|---|---|---|---|---|---|\n");
  const auto count = static_cast<int>(std::min<std::size_t>(packets_wanted() / 100, 20'000));
  for (const auto& means : all)
    for (const auto& [name, distribution] : {std::pair{"uniform", Distribution::kUniform},
                                             {"normal", Distribution::kNormal},
                                             {"pareto", Distribution::kPareto},
                                             {"paretonormal", Distribution::kParetoNormal}}) {
      auto plan = plan_of(
          {FaultBuilder::latency(20ms, 5ms).distribution(distribution).protocol(IPPROTO_UDP).reorder()}, 1, 1h);
      const auto planned = plan;
      InjectRun run{room, std::move(plan), {.means = means}};
      DatagramPath path{room.container(), kContainer4, room.host(), kHost4, 7850};
      sockaddr_in from{};
      socklen_t size = sizeof from;
      REQUIRE(::getsockname(path.sender(), reinterpret_cast<sockaddr*>(&from), &size) == 0);
      path.send_paced(count, 1ms);
      CHECK(path.await(static_cast<std::size_t>(count), 5s));
      const auto key = flow_key(kContainer4, ntohs(from.sin_port), kHost4, 7850, IPPROTO_UDP);
      const auto state = flow_state_of(planned.seed, key, BROWNOUT_EGRESS);
      std::vector<std::int64_t> late;
      for (const auto& arrival : path.stop())
        late.push_back(arrival.delay_ns() -
                       std::max<std::int64_t>(decided_delay(planned, 0, state, arrival.sequence), 0));
      REQUIRE(run->detach());
      REQUIRE_FALSE(late.empty());
      std::ranges::sort(late);
      const auto at = [&late](double q) {
        const auto index = static_cast<std::size_t>(q * static_cast<double>(late.size()));
        return static_cast<double>(late[std::min(index, late.size() - 1)]) / 1e6;
      };
      fmt::print("| {} | {} | {} | {:.3f} | {:.3f} | {:.3f} |\n", drill::backend_name(*means.backend), name, late.size(),
                 at(0.5), at(0.99), at(1));
    }
}

}  // namespace kernel_order_bench_test
