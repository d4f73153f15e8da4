// SPDX-License-Identifier: MIT
// Delays as they are decided: each distribution is the one that it is called, with correlation too, and any single
// decision can be computed without those before it.
#include <numeric>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support/decisions.hpp"
#include "support/flow_keys.hpp"
#include "support/plans.hpp"

namespace kernel_jitter_distribution_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;
using drill::Distribution;

namespace {

constexpr std::size_t kSamples = 20'000;
const double kLimit = 1.63 / std::sqrt(static_cast<double>(kSamples));  // 99 %
constexpr std::int64_t kDelay = 100'000'000, kJitter = 20'000'000;

std::uint64_t the_flow_state(std::uint64_t seed) {
  return flow_state_of(seed, flow_key("10.0.0.2", 40000, "192.0.2.7", 443, 6), BROWNOUT_EGRESS);
}

plan::Plan jitter_plan(Distribution distribution, double correlation = 0) {
  return plan_of({FaultBuilder::latency(100ms, 20ms).distribution(distribution).correlation(correlation)});
}

std::vector<std::int64_t> decide(const plan::Plan& plan, std::size_t count = kSamples) {
  std::vector<std::int64_t> delays(count);
  for (std::uint64_t n = 0; n < count; ++n) delays[n] = decided_delay(plan, 0, the_flow_state(plan.seed), n);
  return delays;
}

std::vector<std::int64_t> delays_of_table(const std::vector<std::int16_t>& values) {
  std::vector<std::int64_t> delays;
  for (const auto value : values) delays.push_back(brownout_table_delay(value, kDelay, kJitter));
  return delays;
}

double distance(const std::vector<std::int64_t>& delays, Distribution distribution) {
  if (distribution == Distribution::kUniform) return distance_to_uniform(delays, kDelay - kJitter, kDelay + kJitter);
  return distance_to_table(delays, delays_of_table(plan::named_table(distribution)));
}

double correlation_at_lag(const std::vector<std::int64_t>& delays, std::size_t lag) {
  const auto n = static_cast<double>(delays.size());
  const double mean = std::accumulate(delays.begin(), delays.end(), 0.0) / n;
  double variance = 0, covariance = 0;
  for (std::size_t i = 0; i < delays.size(); ++i) {
    const double here = static_cast<double>(delays[i]) - mean;
    variance += here * here;
    if (i >= lag) covariance += here * (static_cast<double>(delays[i - lag]) - mean);
  }
  return covariance / variance;
}

constexpr Distribution kAll[] = {Distribution::kUniform, Distribution::kNormal, Distribution::kPareto,
                                 Distribution::kParetoNormal};

}  // namespace

TEST_CASE("decided delays follow the distribution that is named") {
  for (const auto distribution : kAll) {
    const double found = distance(decide(jitter_plan(distribution)), distribution);
    INFO("distribution " << static_cast<int>(distribution) << ", distance " << found << ", limit " << kLimit);
    CHECK(found <= kLimit);
  }
}

TEST_CASE("delays are as the documentation says") {
  struct Vector { Distribution distribution; double correlation; std::int64_t delays[4]; };
  const Vector vectors[] = {
      {Distribution::kUniform, 0.0, {88237022, 113776332, 82758744, 95422223}},
      {Distribution::kNormal, 0.0, {104267578, 109201660, 99045410, 92377930}},
      {Distribution::kPareto, 0.0, {95734863, 98874512, 93181152, 90808105}},
      {Distribution::kParetoNormal, 0.0, {97868652, 101455078, 94648437, 91201172}},
      {Distribution::kUniform, 0.25, {93167589, 93167589, 82758744, 95422223}},
      {Distribution::kNormal, 0.5, {99328613, 99328613, 99045410, 92377930}}};
  for (const auto& [distribution, correlation, delays] : vectors)
    for (std::uint64_t i = 0; i < 4; ++i)
      CHECK(decided_delay(jitter_plan(distribution, correlation), 0, the_flow_state(42), 4 + i) == delays[i]);
}

TEST_CASE("the test of distributions can tell them apart") {
  for (const auto drawn : kAll)
    for (const auto claimed : kAll)
      if (drawn != claimed) CHECK(distance(decide(jitter_plan(drawn)), claimed) > 2 * kLimit);
}

TEST_CASE("correlation leaves the distribution as it is, and is what was asked for") {
  constexpr std::size_t kMany = 400'000;
  const double share = GENERATE(0.25, 0.5, 0.9);
  // Runs of the same draw make fewer independent samples of as many packets.
  const double limit = 1.63 / std::sqrt(kMany * (1 - share) / (1 + share));
  for (const auto distribution : kAll) {
    const auto delays = decide(jitter_plan(distribution, share), kMany);
    INFO("distribution " << static_cast<int>(distribution) << ", correlation " << share);
    CHECK(distance(delays, distribution) <= limit);
    CHECK(std::fabs(correlation_at_lag(delays, 1) - share) < 0.02);
    CHECK(std::fabs(correlation_at_lag(delays, 2) - share * share) < 0.03);
  }
  CHECK(std::fabs(correlation_at_lag(decide(jitter_plan(Distribution::kNormal), kMany), 1)) < 0.01);
}

TEST_CASE("a packet takes its own draw or that of one of the packets before it, as its coins say") {
  const auto state = the_flow_state(42);
  constexpr std::uint64_t kThreshold = (1ULL << 32) / 10 * 9;
  constexpr std::uint64_t kFault = 3;
  // Forwards, with the memory that the function does without.
  std::uint64_t carried = 0;
  int run = 0, longest = 0;
  for (std::uint64_t n = 0; n < kSamples; ++n) {
    const auto packet = brownout_absorb(state, n);
    const bool reuses = n > 0 && brownout_hit(brownout_draw(packet, kFault + BROWNOUT_COIN), kThreshold);
    run = reuses ? run + 1 : 0;
    longest = std::max(longest, run);
    if (!reuses) carried = brownout_draw(packet, kFault);
    if (run <= BROWNOUT_REUSE_STEPS) REQUIRE(brownout_correlated_draw(state, n, kFault, kThreshold) == carried);
  }
  CHECK(longest > 20);
  // A threshold that always hits ends at the limit, not at the flow's first packet.
  CHECK(brownout_correlated_draw(state, 1000, 0, 1ULL << 32) ==
        brownout_draw(brownout_absorb(state, 1000 - BROWNOUT_REUSE_STEPS), 0));
  CHECK(brownout_correlated_draw(state, 10, 0, 1ULL << 32) == brownout_draw(brownout_absorb(state, 0), 0));
  CHECK(brownout_correlated_draw(state, 10, 0, 0) == brownout_draw(brownout_absorb(state, 10), 0));
}

TEST_CASE("two faults draw their coins apart") {
  const auto state = the_flow_state(7);
  int same = 0;
  for (std::uint64_t n = 0; n < 4000; ++n) {
    const auto packet = brownout_absorb(state, n);
    same += brownout_hit(brownout_draw(packet, BROWNOUT_COIN), 1ULL << 31) ==
            brownout_hit(brownout_draw(packet, BROWNOUT_COIN + 1), 1ULL << 31);
  }
  CHECK(same > 1850);
  CHECK(same < 2150);
}

TEST_CASE("table delays are rounded as netem rounds them") {
  // netem's own arithmetic, on signed numbers.
  const auto netem = [](std::int64_t mu, std::int64_t sigma, std::int64_t t) {
    std::int64_t x = (sigma % 8192) * t;
    x += x >= 0 ? 4096 : -4096;
    return x / 8192 + (sigma / 8192) * t + mu;
  };
  for (const std::int64_t jitter : {0LL, 1LL, 4095LL, 8191LL, 8192LL, 20'000'000LL, 59'999'999'999LL})
    for (const std::int64_t value : {-32768, -8192, -4097, -1, 0, 1, 4096, 8191, 32767})
      for (const std::int64_t delay : {1'000LL, 60'000'000'000LL}) {
        INFO(jitter << " " << value << " " << delay);
        CHECK(brownout_table_delay(value, static_cast<std::uint64_t>(delay), static_cast<std::uint64_t>(jitter)) ==
              netem(delay, jitter, value));
      }
}

}  // namespace kernel_jitter_distribution_test
