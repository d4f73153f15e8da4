// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdlib>
#include <random>

#include <catch2/catch_test_macros.hpp>

#include "brownout/abi/match.h"
#include "support/flow_keys.hpp"
#include "support/plans.hpp"

namespace plan_fate_test {

using namespace brownout;
using namespace brownout::test;

namespace {

using Names = std::vector<std::string>;

brownout_flow_key flow_of(const char* peer, std::uint16_t port, std::uint8_t protocol = 6) {
  brownout_flow_key flow{.local_port = 40000, .peer_port = port, .protocol = protocol};
  ::inet_pton(AF_INET6, "::ffff:10.0.0.2", flow.local_address);
  ::inet_pton(AF_INET6, peer, flow.peer_address);
  return flow;
}

Names missed_by(const FaultBuilder& fault, const brownout_flow_key& flow, brownout_direction direction = BROWNOUT_EGRESS,
                bool ports = true) {
  const auto fate = plan::fate_of(plan_of({fault}), flow, direction, ports);
  REQUIRE(fate.faults.size() == 1);
  CHECK(fate.faults[0].hit == fate.faults[0].missed_by.empty());
  return fate.faults[0].missed_by;
}

}  // namespace

TEST_CASE("each filter that alone keeps a packet from a fault is named, and no other") {
  const auto flow = flow_of("::ffff:1.2.3.4", 443);
  const auto narrow = FaultBuilder::loss(0.5).directions(kEgressOnly).protocol(6).family(4).cidr("1.2.3.0", 24).port(443);
  CHECK(missed_by(narrow, flow).empty());
  CHECK(missed_by(narrow, flow, BROWNOUT_INGRESS) == Names{"direction"});
  CHECK(missed_by(narrow, flow_of("::ffff:1.2.4.4", 443)) == Names{"cidr"});
  CHECK(missed_by(narrow, flow_of("::ffff:1.2.3.4", 80)) == Names{"port"});
  CHECK(missed_by(narrow, flow_of("::ffff:1.2.3.4", 80, 17)) == Names{"protocol", "port"});
  CHECK(missed_by(narrow, flow_of("2001:db8::1", 443)) == Names{"family", "cidr"});
  CHECK(missed_by(narrow, flow, BROWNOUT_EGRESS, false) == Names{"port"});
  CHECK(missed_by(FaultBuilder::loss(0.5).local_port(22), flow) == Names{"local_port"});
  CHECK(missed_by(FaultBuilder::loss(0.5).local_port(40000), flow).empty());
  CHECK(missed_by(FaultBuilder::loss(0.5), flow, BROWNOUT_INGRESS, false).empty());
  CHECK(missed_by(FaultBuilder::loss(0.5).connections(0.0001).port(80), flow) == Names{"port", "connections"});
}

TEST_CASE("what is spared is said by the word that would allow it") {
  auto plan = plan_of({FaultBuilder::blackhole()});
  const auto spared_as = [&](const brownout_flow_key& flow) { return plan::fate_of(plan, flow, BROWNOUT_EGRESS, true).spared_as; };
  CHECK(spared_as(flow_of("::ffff:10.0.0.1", 67, 17)) == "dhcp");
  CHECK(spared_as(flow_of("::ffff:169.254.169.254", 80)) == "metadata");
  CHECK(spared_as(flow_of("::ffff:10.0.0.1", 67)).empty());
  plan.allowed = BROWNOUT_ALLOW_DHCP | BROWNOUT_ALLOW_METADATA;
  CHECK(spared_as(flow_of("::ffff:10.0.0.1", 67, 17)).empty());
}

TEST_CASE("of random rules and packets it says hit exactly when the programs' rule does, and else a reason") {
  std::mt19937 random{20261129};
  const auto chance = [&random] { return std::uniform_int_distribution{0, 1}(random) == 1; };
  const auto one_of = [&random](auto... values) {
    const std::array all{values...};
    return all[std::uniform_int_distribution<std::size_t>{0, all.size() - 1}(random)];
  };
  std::size_t hits = 0, misses = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto fault = FaultBuilder::loss(0.5).directions(one_of(std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}));
    if (chance()) fault.protocol(one_of(std::uint8_t{1}, std::uint8_t{6}, std::uint8_t{17}));
    if (chance()) fault.family(4).cidr("1.2.3.0", one_of(8U, 24U));
    if (chance()) fault.port(one_of(std::uint16_t{80}, std::uint16_t{443}), one_of(std::uint16_t{80}, std::uint16_t{500}));
    if (chance()) fault.connections(one_of(0.1, 0.5, 0.9));
    if (chance()) fault.local_port(one_of(std::uint16_t{40000}, std::uint16_t{22}));
    auto flow = flow_of(one_of("::ffff:1.2.3.4", "::ffff:1.9.9.9", "2001:db8::1"),
                              one_of(std::uint16_t{80}, std::uint16_t{443}), one_of(std::uint8_t{1}, std::uint8_t{6}, std::uint8_t{17}));
    const auto direction = one_of(BROWNOUT_EGRESS, BROWNOUT_INGRESS);
    if (chance()) flow.local_port = one_of(std::uint16_t{0}, std::uint16_t{22}, std::uint16_t{50000});
    const bool ports = chance();
    const auto plan = plan_of({fault});
    const auto& match = plan.faults[0].abi.match;
    const bool hit = brownout_match_flow(&match, &flow, direction, ports) &&
                     brownout_in_share(&match, &flow, brownout_share(plan.seed, &flow));
    const auto fate = plan::fate_of(plan, flow, direction, ports).faults[0];
    if (fate.hit != hit || fate.missed_by.empty() != hit) FAIL("case " << i);
    ++(hit ? hits : misses);
  }
  CHECK(hits > 1000);
  CHECK(misses > 1000);
}

TEST_CASE("a share of the flows is that share, whole flows, and within a larger one") {
  constexpr int kFlows = 100'000;
  const auto plan = plan_of({FaultBuilder::blackhole().connections(0.3), FaultBuilder::loss(0.5).connections(0.5)});
  int hit = 0, both = 0;
  for (int i = 0; i < kFlows; ++i) {
    auto flow = flow_of("::ffff:1.2.3.4", 443);
    flow.local_port = static_cast<std::uint16_t>(1024 + i % 50'000);
    flow.local_address[15] = static_cast<std::uint8_t>(i / 50'000);
    const auto out = plan::fate_of(plan, flow, BROWNOUT_EGRESS, true);
    const auto in = plan::fate_of(plan, flow, BROWNOUT_INGRESS, true);
    if (out.faults[0].hit != in.faults[0].hit || (out.faults[0].hit && !out.faults[1].hit)) FAIL("flow " << i);
    if (plan::hits(plan, plan.faults[0], flow) != out.faults[0].hit) FAIL("flow " << i << " by hits()");
    hit += out.faults[0].hit ? 1 : 0;
    both += out.faults[1].hit ? 1 : 0;
  }
  // Three standard deviations of a binomial.
  CHECK(std::abs(hit - 0.3 * kFlows) < 3 * std::sqrt(kFlows * 0.3 * 0.7));
  CHECK(std::abs(both - 0.5 * kFlows) < 3 * std::sqrt(kFlows * 0.5 * 0.5));
}

TEST_CASE("a packet that may be of any flow is of no share") {
  auto fragment = flow_of("::ffff:1.2.3.4", 0);
  fragment.local_port = 0;
  CHECK(missed_by(FaultBuilder::loss(0.5).connections(0.999), fragment, BROWNOUT_EGRESS, false) == Names{"connections"});
  fragment.protocol = 1; // has no ports at all: its addresses are the flow
  CHECK(missed_by(FaultBuilder::loss(0.5).connections(0.999), fragment, BROWNOUT_EGRESS, false).empty());
}

}  // namespace plan_fate_test
