// SPDX-License-Identifier: MIT
// The vectors of docs/randomness.md.
#include <cmath>
#include <cstring>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "brownout/abi/random.h"
#include "support/flow_keys.hpp"

namespace kernel_inject_random_test {

using namespace brownout::test;

namespace {

std::uint64_t draw(std::uint64_t seed, const brownout_flow_key& key, std::uint64_t direction, std::uint64_t n,
                   std::uint64_t fault) {
  __u64 words[BROWNOUT_FLOW_KEY_WORDS];
  std::memcpy(words, &key, sizeof words);
  return brownout_draw(brownout_packet_state(seed, words, direction, n), fault);
}

// Of the first `packets` of the vectors' flow.
std::vector<std::uint64_t> in_bursts(double enter, double leave, std::uint64_t packets) {
  const auto flow = flow_key("10.0.0.2", 40000, "192.0.2.7", 443, 6);
  __u64 words[BROWNOUT_FLOW_KEY_WORDS];
  std::memcpy(words, &flow, sizeof words);
  const auto threshold = [](double share) { return static_cast<std::uint64_t>(std::llround(share * 4294967296.0)); };
  std::vector<std::uint64_t> found;
  for (std::uint64_t n = 0; n < packets; ++n)
    if (brownout_in_burst(brownout_flow_state(42, words, 0), n, 0, threshold(enter), threshold(leave))) found.push_back(n);
  return found;
}

}  // namespace

TEST_CASE("bursts are where the documentation says") {
  CHECK(in_bursts(0.05, 0.25, 60) == std::vector<std::uint64_t>{4, 6, 7, 20, 21, 22, 23, 24, 48});
  CHECK(in_bursts(0.9, 0.8, 30) == std::vector<std::uint64_t>{0, 3, 4, 6, 8, 10, 12, 14, 17, 18, 20, 22, 24, 26, 28});
}

TEST_CASE("draws are as the documentation says") {
  const auto tcp = flow_key("10.0.0.2", 40000, "192.0.2.7", 443, 6);
  CHECK(draw(42, tcp, 0, 0, 0) == 0x1a3e30b5d0b4a7c9);
  CHECK(draw(42, tcp, 0, 1, 0) == 0xc3e14950fb59f81b);
  CHECK(draw(42, tcp, 1, 0, 0) == 0x6110a05be0643765);
  CHECK(draw(42, tcp, 0, 0, 1) == 0xf92a72f0312cbb7a);
  CHECK(draw(~0ULL, flow_key("fd00::2", 5353, "2001:db8::7", 53, 17), 1, 1000000, 15) == 0xb17eed3f9eaebbcb);
  CHECK(draw(0, flow_key("10.0.0.2", 0, "192.0.2.7", 0, 1), 0, 0, 0) == 0x8a39352787a3ebc3);
}

TEST_CASE("thresholds and delays cover their whole range and no more") {
  CHECK_FALSE(brownout_hit(0, 0));
  CHECK(brownout_hit(~0ULL, 1ULL << 32));
  CHECK(brownout_hit(0x7fffffffffffffff, 1ULL << 31));
  CHECK_FALSE(brownout_hit(0x8000000000000000, 1ULL << 31));
  CHECK(brownout_delay(~0ULL, 1000, 0) == 1000);
  CHECK(brownout_delay(0, 1000, 100) == 900);
  CHECK(brownout_delay(200, 1000, 100) == 1100);
  CHECK(brownout_delay(201, 1000, 100) == 900);
  CHECK(brownout_delay(0, 1000, 1000) == 0);
}

TEST_CASE("neighbouring packets and flows have unrelated draws") {
  int hits = 0;
  for (std::uint16_t port = 0; port < 1000; ++port)
    for (std::uint64_t n = 0; n < 10; ++n)
      hits += brownout_hit(draw(1, flow_key("10.0.0.2", port, "192.0.2.7", 443, 6), 0, n, 0), (1ULL << 32) / 10);
  // 10,000 draws at 10 %: 30 is one standard deviation.
  CHECK(hits > 850);
  CHECK(hits < 1150);
}

}  // namespace kernel_inject_random_test
