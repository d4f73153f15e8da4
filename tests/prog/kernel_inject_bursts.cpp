// SPDX-License-Identifier: MIT
// Loss in bursts: packet by packet as the model says, and as long and as often as it was asked for.
#include <algorithm>
#include <cmath>
#include <cstring>

#include <catch2/catch_test_macros.hpp>

#include "brownout/abi/random.h"
#include "support/inject_programs.hpp"

namespace kernel_inject_bursts_test {

using namespace brownout;
using namespace brownout::test;

namespace {

constexpr std::uint64_t kSeed = 23;

Packet segment() { return Packet{}.ipv4("10.0.0.2", "192.0.2.7").tcp(40000, 443).payload(100); }

std::uint64_t flow_state() {
  const auto key = flow_key("10.0.0.2", 40000, "192.0.2.7", 443, IPPROTO_TCP);
  __u64 words[BROWNOUT_FLOW_KEY_WORDS];
  std::memcpy(words, &key, sizeof words);
  return brownout_flow_state(kSeed, words, BROWNOUT_EGRESS);
}

std::vector<bool> drops(const FaultBuilder& fault, std::size_t packets) {
  InjectPrograms programs{plan_of({fault}, kSeed)};
  std::vector<bool> dropped;
  for (std::size_t i = 0; i < packets; ++i) dropped.push_back(programs.egress(segment()).verdict == kDropped);
  const auto counters = programs.fault(0, BROWNOUT_EGRESS);
  CHECK(counters.matched.packets == packets);
  CHECK(counters.applied.packets == static_cast<std::uint64_t>(std::ranges::count(dropped, true)));
  return dropped;
}

// The chain walked forwards, step by step, from long before the first packet: which of them are in a burst.
std::vector<bool> walk(double enter, double leave, std::size_t packets) {
  constexpr std::uint64_t kBefore = 100'000;
  const auto state = flow_state();
  std::vector<bool> inside;
  bool in_burst = false;
  for (std::uint64_t n = -kBefore; n != packets; ++n) {
    const double draw = static_cast<double>(brownout_draw(brownout_absorb(state, n), BROWNOUT_BURST) >> 32) / 4294967296.0;
    in_burst = draw < (in_burst ? 1 - leave : enter);
    if (n < packets) inside.push_back(in_burst);
  }
  return inside;
}

// How often runs of `value` have each length from 1 to `most`; the last one: longer. Those at either end are cut, and left out.
std::vector<double> runs_of(bool value, const std::vector<bool>& series, std::size_t most) {
  std::vector<double> counts(most + 1);
  auto at = std::ranges::find(series, !value);
  while ((at = std::find(at, series.end(), value)) != series.end()) {
    const auto end = std::find(at, series.end(), !value);
    if (end != series.end()) ++counts[std::min(static_cast<std::size_t>(end - at) - 1, most)];
    at = end;
  }
  return counts;
}

// Of Pearson's, for lengths that end with `ends` of the packets in them.
double chi_square(const std::vector<double>& counts, double ends) {
  double all = 0, sum = 0, left = 1;
  for (const double count : counts) all += count;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double share = i + 1 < counts.size() ? left * ends : left;
    left -= share;
    sum += std::pow(counts[i] - all * share, 2) / (all * share);
  }
  return sum;
}

}  // namespace

TEST_CASE("bursts: each packet's state is that of the chain, walked from long before") {
  for (const auto& [enter, leave] : {std::pair{0.02, 0.2}, {0.25, 0.5}, {0.004, 0.012}, {0.9, 0.8}, {0.3, 1.0}}) {
    INFO(enter << " " << leave);
    CHECK(drops(FaultBuilder::bursts(enter, leave), 3000) == walk(enter, leave, 3000));
  }
}

TEST_CASE("bursts: as long, and as far apart, as was asked for") {
  constexpr std::size_t kPackets = 100'000;
  constexpr double kEnter = 0.02, kLeave = 0.2, kRate = kEnter / (kEnter + kLeave);
  const auto dropped = drops(FaultBuilder::bursts(kEnter, kLeave), kPackets);
  const double together = 1 - kEnter - kLeave;
  const double deviation = std::sqrt(kPackets * kRate * (1 - kRate) * (1 + together) / (1 - together));
  CHECK(std::abs(static_cast<double>(std::ranges::count(dropped, true)) - kPackets * kRate) < 2.58 * deviation);
  // Ten classes and one for the rest: 10 degrees of freedom, p = 0.01. Twenty of gaps.
  CHECK(chi_square(runs_of(true, dropped, 10), kLeave) < 23.21);
  CHECK(chi_square(runs_of(false, dropped, 20), kEnter) < 37.57);
}

TEST_CASE("bursts: some pass inside, and some are lost between") {
  constexpr std::size_t kPackets = 20'000;
  const auto dropped = drops(FaultBuilder::bursts(0.05, 0.1).inside_and_between(0.7, 0.02), kPackets);
  const auto inside = walk(0.05, 0.1, kPackets);
  const auto state = flow_state();
  for (std::uint64_t n = 0; n < kPackets; ++n) {
    const auto draw = static_cast<double>(brownout_draw(brownout_absorb(state, n), 0) >> 32) / 4294967296.0;
    REQUIRE(dropped[n] == (draw < (inside[n] ? 0.7 : 0.02)));
  }
}

TEST_CASE("bursts: flows begin in one as often as any packet is in one") {
  InjectPrograms programs{plan_of({FaultBuilder::bursts(0.1, 0.1)}, kSeed)};
  int dropped = 0;
  for (std::uint16_t port = 1000; port < 1400; ++port) {
    const auto first = Packet{}.ipv4("10.0.0.2", "192.0.2.7").tcp(port, 443).payload(100);
    dropped += programs.egress(first).verdict == kDropped;
  }
  // Half of 400, 10 is one standard deviation.
  CHECK(dropped > 160);
  CHECK(dropped < 240);
}

}  // namespace kernel_inject_bursts_test
