// SPDX-License-Identifier: MIT
#include <cstring>
#include <string>

#include <netinet/in.h>

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "brownout/abi/match.h"
#include "brownout/fd.hpp"
#include "brownout/plan.hpp"
#include "support/flow_keys.hpp"

namespace plan_test {

using namespace brownout;
using namespace brownout::plan;
using Catch::Approx;

namespace {

const std::string kSource = BROWNOUT_SOURCE_DIR;

Plan plan_of(const std::string& faults, const std::string& rest = "") {
  auto drill = drill::parse("brownout: 1\nname: p\ntarget: {pid: 1}\n" + rest + "faults:\n" + faults, "p.yaml");
  if (!drill) FAIL(drill.error().render());
  auto plan = compile(*std::move(drill), 42);
  if (!plan) FAIL(plan.error().render());
  return *std::move(plan);
}

brownout_match match_of(const std::string& match) {
  return plan_of("  - {blackhole: {}, match: " + match + "}").faults[0].abi.match;
}

std::string hex(const __u8 (&bytes)[16]) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const __u8 byte : bytes) text += {kDigits[byte >> 4], kDigits[byte & 15]};
  return text;
}

__u64 threshold_of(const std::string& rate) {
  return plan_of("  - {loss: {rate: " + rate + "}, match: all}").faults[0].abi.drop_threshold;
}

}  // namespace

TEST_CASE("IPv4 networks are mapped into 16 bytes and carry their family") {
  const auto match = match_of("{cidr: 10.32.0.0/11}");
  CHECK(hex(match.peer_address) == "00000000000000000000ffff0a200000");
  CHECK(hex(match.peer_mask) == "ffffffffffffffffffffffffffe00000");
  CHECK(match.family == 4);
  const auto any = match_of("{cidr: 0.0.0.0/0}");
  CHECK(hex(any.peer_address) == "00000000000000000000ffff00000000");
  CHECK(hex(any.peer_mask) == "ffffffffffffffffffffffff00000000");
  CHECK(any.family == 4);
  const auto host = match_of("{cidr: 192.0.2.7/32}");
  CHECK(hex(host.peer_mask) == "ffffffffffffffffffffffffffffffff");
}

TEST_CASE("IPv6 networks stand as they are") {
  const auto match = match_of("{cidr: \"2001:db8:8000::/33\"}");
  CHECK(hex(match.peer_address) == "20010db8800000000000000000000000");
  CHECK(hex(match.peer_mask) == "ffffffff800000000000000000000000");
  CHECK(match.family == 6);
  CHECK(match_of("{cidr: \"::/0\"}").family == 6);
}

TEST_CASE("match all leaves every field open") {
  const auto match = match_of("all");
  CHECK(hex(match.peer_mask) == std::string(32, '0'));
  CHECK(match.family == 0);
  CHECK(match.protocol == 0);
  CHECK(match.has_ports == 0);
  CHECK(match.directions == 3);
  CHECK(match.peer_port_low == 0);
  CHECK(match.peer_port_high == 65535);
  CHECK(match.local_port_low == 0);
  CHECK(match.local_port_high == 65535);
}

TEST_CASE("ports, protocols and directions") {
  const auto match = match_of("{direction: ingress, protocol: udp, port: 53, local_port: 5000-5100}");
  CHECK(match.peer_port_low == 53);
  CHECK(match.peer_port_high == 53);
  CHECK(match.local_port_low == 5000);
  CHECK(match.local_port_high == 5100);
  CHECK(match.has_ports == 1);
  CHECK(match.protocol == IPPROTO_UDP);
  CHECK(match.directions == 1 << BROWNOUT_INGRESS);
  CHECK(match_of("{direction: egress}").directions == 1 << BROWNOUT_EGRESS);
  CHECK(match_of("{protocol: icmp}").protocol == IPPROTO_ICMP);
  CHECK(match_of("{protocol: tcp}").has_ports == 0);
  CHECK(match_of("{local_port: 1-65535}").has_ports == 1);
}

TEST_CASE("rates become thresholds of a 32-bit draw") {
  CHECK(threshold_of("100%") == 4294967296U);
  CHECK(threshold_of("50%") == 2147483648U);
  CHECK(threshold_of("0.001%") == 42950U); // 42949.67
  CHECK(threshold_of("5%") == 214748365U); // 214748364.8
  const auto blackhole = plan_of("  - {blackhole: {}, match: all}").faults[0];
  CHECK(blackhole.abi.drop_threshold == 4294967296U);
  CHECK(blackhole.abi.kind == BROWNOUT_FAULT_BLACKHOLE);
  CHECK(blackhole.rate == 1.0);
}

TEST_CASE("bursts become thresholds, and tell how far counts may stray") {
  const auto plan = plan_of("  - {loss: {rate: 5%, burst: 10}, match: all}\n"
                            "  - {loss: {gilbert_elliott: {p: 1%, r: 25%, h: 20%, k: 99.9%}}, match: all}\n"
                            "  - {loss: {rate: 5%}, match: all}");
  const auto& simple = plan.faults[0];
  CHECK(simple.abi.drop_threshold == 4294967296U);
  CHECK(simple.abi.drop_between == 0);
  CHECK(simple.abi.burst_leave == 429496730U);
  CHECK(simple.abi.burst_enter == 22605091U); // 1 / 190
  CHECK(simple.rate == Approx(0.05));
  CHECK(simple.spread == Approx(1 + 2 * (0.9 - 1.0 / 190) / (0.1 + 1.0 / 190)));
  CHECK(simple.label == "loss 5% in bursts of 10 everything, both directions");
  const auto& model = plan.faults[1];
  CHECK(model.abi.drop_threshold == 3435973837U);
  CHECK(model.abi.drop_between == 4294967U);
  CHECK(model.label == "loss 3.17308% in bursts of 4 (80% inside, 0.1% between) everything, both directions");
  CHECK(plan.faults[2].spread == 1);
  CHECK(plan.faults[2].abi.burst_leave == 0);

  const auto written = to_json(plan).at("faults");
  CHECK(written[0].at("bursts").at("leave_threshold_of_2_32") == 429496730U);
  CHECK(written[1].at("bursts").at("lost_inside") == 0.8);
  CHECK_FALSE(written[2].contains("bursts"));
}

TEST_CASE("the deadline leaves room for the longest hold and the drain") {
  const std::string phases = "phases: {inject: 10s}\n";
  CHECK(plan_of("  - {loss: {rate: 5%}, match: all}", phases).max_duration_ns == 15'000'000'000);
  CHECK(plan_of("  - {latency: {delay: 2s, jitter: 1s}, match: all}", phases).max_duration_ns == 18'000'000'000);
  // Delays that can meet on one packet add up; those of different directions cannot.
  CHECK(plan_of("  - {latency: {delay: 2s}, match: {direction: egress}}\n  - {latency: {delay: 3s}, match: all}",
                phases).max_duration_ns == 20'000'000'000);
  CHECK(plan_of("  - {latency: {delay: 2s}, match: {direction: egress}}\n"
                "  - {latency: {delay: 3s}, match: {direction: ingress}}", phases).max_duration_ns == 18'000'000'000);
}

TEST_CASE("the round trip gains every delay once per direction") {
  const Plan plan = plan_of(
      "  - {latency: {delay: 100ms, jitter: 10ms}, match: {direction: egress, protocol: tcp}}\n"
      "  - {latency: {delay: 30ms, jitter: 5ms}, match: all}\n"
      "  - {latency: {delay: 7s}, match: {protocol: udp}}\n"
      "  - {loss: {rate: 5%}, match: all}");
  CHECK(expected_round_trip(plan).delay_ns == 160'000'000);
  CHECK(expected_round_trip(plan).jitter_ns == 20'000'000);
  CHECK(plan.needs_delay_line);
  CHECK_FALSE(plan_of("  - {loss: {rate: 5%}, match: all}").needs_delay_line);
}

TEST_CASE("the default gate stands in where an app has none") {
  const std::string fault = "  - {blackhole: {}, match: all}";
  const Plan with_app = plan_of(fault, "app: {run_dir: /r}\n");
  REQUIRE(with_app.gates.size() == 1);
  CHECK(std::get<drill::ErrorCountGate>(with_app.gates[0].what).min_increase == 1);
  CHECK(with_app.gates[0].line == 0);
  CHECK(plan_of(fault).gates.empty());
  const Plan own = plan_of(fault, "app: {run_dir: /r}\ngates: [{error_count: {max_increase: 0}}]\n");
  REQUIRE(own.gates.size() == 1);
  CHECK(std::get<drill::ErrorCountGate>(own.gates[0].what).max_increase == 0);
}

TEST_CASE("the seed of the drill wins, a drawn one is said to be drawn") {
  const std::string fault = "  - {blackhole: {}, match: all}";
  CHECK(plan_of(fault).seed == 42);
  CHECK(plan_of(fault).seed_drawn);
  CHECK(plan_of(fault, "seed: 0\n").seed == 0);
  CHECK_FALSE(plan_of(fault, "seed: 0\n").seed_drawn);
}

TEST_CASE("labels say what a fault does, and lines where it stands") {
  const Plan plan = plan_of(
      "  - {latency: {delay: 300ms, jitter: 20ms}, match: {direction: egress, protocol: tcp, port: 443}}\n"
      "  - {loss: {rate: 0.5%}, match: {cidr: 10.0.0.0/8, local_port: 1-9}}\n"
      "  - {blackhole: {}, match: all}");
  CHECK(plan.faults[0].label == "latency 300ms±20ms egress tcp *:443");
  CHECK(plan.faults[1].label == "loss 0.5% both any 10.0.0.0/8:* local:1-9");
  CHECK(plan.faults[2].label == "blackhole everything, both directions");
  CHECK(plan.faults[1].index == 1);
  CHECK(plan.faults[1].drill_line == 6);
  CHECK(plan.faults[0].directions == std::vector<int>{BROWNOUT_EGRESS});
  CHECK(plan.faults[1].directions == std::vector<int>{BROWNOUT_EGRESS, BROWNOUT_INGRESS});
}

TEST_CASE("a fault hits a flow in either direction, and nothing that is spared") {
  const auto plan = plan_of("  - {blackhole: {}, match: {direction: ingress, protocol: tcp, cidr: 192.0.2.0/24}}");
  const auto hit = [](const Plan& by, const std::string& peer, __u8 protocol, Peer known = Peer::kGiven) {
    return hits(by, by.faults[0], test::flow_key("10.0.0.2", 40000, peer, 80, protocol), known);
  };
  CHECK(hit(plan, "192.0.2.7", IPPROTO_TCP));
  CHECK_FALSE(hit(plan, "192.0.2.7", IPPROTO_UDP));
  CHECK_FALSE(hit(plan, "192.0.3.7", IPPROTO_TCP));
  CHECK(hit(plan, "::", IPPROTO_TCP, Peer::kAnybody));
  CHECK_FALSE(hit(plan, "::", IPPROTO_UDP, Peer::kAnybody));
  const auto narrow = plan_of("  - {blackhole: {}, match: {protocol: udp, port: 443, local_port: 8080}}");
  CHECK_FALSE(hit(narrow, "192.0.2.7", IPPROTO_UDP));
  CHECK(hit(narrow, "192.0.2.7", IPPROTO_UDP, Peer::kAnybody));
  const std::string all = "  - {blackhole: {}, match: all}";
  CHECK_FALSE(hit(plan_of(all), "169.254.169.254", IPPROTO_TCP));
  CHECK(hit(plan_of(all, "allow: [metadata]\n"), "169.254.169.254", IPPROTO_TCP));
}

TEST_CASE("each address of a metadata service is spared, and refused as a fault's only peer") {
  for (const std::string address : {"169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200",
                                    "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"}) {
    INFO(address);
    const bool six = address.contains(':');
    CHECK(brownout_is_metadata(test::flow_key("10.0.0.2", 1, address, 2, IPPROTO_TCP).peer_address));
    const std::string start = "brownout: 1\nname: m\ntarget: {pid: 1}\n";
    const auto parsed = [&](const std::string& allow, int bits) {
      return drill::parse(start + allow + "faults: [{blackhole: {}, match: {cidr: \"" + address + "/" +
                              std::to_string(bits) + "\"}}]", "m.yaml");
    };
    CHECK_FALSE(parsed("", six ? 128 : 32));
    CHECK(parsed("allow: [metadata]\n", six ? 128 : 32));
  }
}

TEST_CASE("the plan as JSON is what the golden files say") {
  for (const std::string name : {"full", "ipv6", "jitter"}) {
    INFO(name);
    auto drill = drill::load(kSource + "/tests/golden/drills/good/" + name + ".yaml");
    REQUIRE(drill);
    const auto plan = compile(*std::move(drill), 42);
    REQUIRE(plan);
    const auto golden = read_file(kSource + "/tests/golden/plans/" + name + ".json");
    REQUIRE(golden);
    CHECK(to_json(*plan).dump(2) + "\n" == *golden);
  }
}

TEST_CASE("a drill whose faults may last longer than its cap is refused, with both times") {
  const auto compiled = [](const std::string& cap) {
    auto drill = drill::parse("brownout: 1\nname: p\ntarget: {pid: 1}\nphases: {inject: 20s}\ncaps: {max_duration: " + cap +
                                  "}\nfaults: [{latency: {delay: 2s}, match: all}]",
                              "p.yaml");
    if (!drill) FAIL(drill.error().render());
    return compile(*std::move(drill), 42);
  };
  CHECK(compiled("27s"));
  const auto refused = compiled("26s");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kInvalidDrill);
  CHECK(refused.error().what.contains("26s is less than the 27s that the faults may last (drill line 5)"));
}

}  // namespace plan_test
