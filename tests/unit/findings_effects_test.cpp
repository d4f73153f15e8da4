// SPDX-License-Identifier: MIT
// What was injected, and who else saw it.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "../support/evidence_builder.hpp"
#include "brownout/findings.hpp"

namespace findings_effects_test {

using namespace brownout;
using Catch::Approx;
using findings::FaultEffect;
using findings::Witness;
using findings::WitnessWeight;
using test::EvidenceBuilder;

namespace {

std::vector<FaultEffect> effects(EvidenceBuilder builder, const plan::Plan& plan = test::demo_plan()) {
  return test::derive(plan, builder.build()).effects;
}

const Witness* witness(const FaultEffect& effect, std::string_view name) {
  for (const auto& one : effect.witnesses)
    if (one.name.starts_with(name)) return &one;
  return nullptr;
}

EvidenceBuilder every_sample(std::function<void(events::CounterSample&)> change) {
  return EvidenceBuilder{}.then([change](test::Evidence& evidence) {
    for (auto& sample : evidence.counters) change(sample);
  });
}

// Calls of the window to port 9000 are not delayed by the first fault, which now asks for 8443.
plan::Plan two_delays() {
  auto plan = test::demo_plan();
  plan.faults[0].abi.match.has_ports = 1;
  plan.faults[0].abi.match.peer_port_low = plan.faults[0].abi.match.peer_port_high = 8443;
  return plan;
}

}  // namespace

TEST_CASE("each fault and direction by itself") {
  const auto found = effects(EvidenceBuilder{});
  REQUIRE(found.size() == 3);
  CHECK(found[0].counters.matched.packets == 1200);
  CHECK(found[1].direction == BROWNOUT_EGRESS);
  CHECK(found[2].direction == BROWNOUT_INGRESS);
  CHECK(found[1].counters.applied.packets == 96);
  CHECK(found[1].expected_low == 62);
  CHECK(found[1].expected_high == 134);
  CHECK(found[1].expected_drops == Approx(96));
}

TEST_CASE("with bursts the same number of packets tells less") {
  auto plan = test::demo_plan();
  plan.faults[1].spread = 4;
  const auto found = effects(EvidenceBuilder{}, plan);
  const auto alone = effects(EvidenceBuilder{});
  CHECK(found[1].expected_drops == Approx(96));
  CHECK(found[1].expected_low == 4 * 8);   // of 300 independent ones 24 are lost, 8 at least
  CHECK(found[1].expected_high == 4 * 44);
  CHECK(found[2].expected_low == found[1].expected_low);
  CHECK(found[1].expected_low < alone[1].expected_low);
}

TEST_CASE("drops have a witness past the drop point in each direction") {
  const auto found = effects(EvidenceBuilder{});
  REQUIRE(witness(found[1], "kfree_skb TC_INGRESS"));
  CHECK(witness(found[1], "kfree_skb")->agrees);
  CHECK(witness(found[1], "kfree_skb")->measured == 96);
  REQUIRE(witness(found[2], "container device rx_packets"));
  CHECK(witness(found[2], "container device")->agrees);
  CHECK(witness(found[2], "container device")->weight == WitnessWeight::kDeciding);
  REQUIRE(witness(found[1], "Tcp.RetransSegs"));
  CHECK(witness(found[1], "Tcp.RetransSegs")->agrees);
  CHECK(witness(found[1], "Tcp.RetransSegs")->weight == WitnessWeight::kSupporting);
}

TEST_CASE("drops that only the injector counted find no witness") {
  const auto found = effects(EvidenceBuilder{}.really_drops(false));
  CHECK_FALSE(witness(found[1], "kfree_skb")->agrees);
  CHECK_FALSE(witness(found[2], "container device")->agrees);
}

TEST_CASE("the tolerance of the witnesses: 3 packets or 0.5 %, and 5 more") {
  const auto off_by = [](std::uint64_t packets) {
    return effects(every_sample([packets](events::CounterSample& sample) {
      if (sample.t_mono_ns > test::kWindowStart) sample.drop_witness["TC_INGRESS"] += packets;
    }));
  };
  CHECK(witness(off_by(3)[1], "kfree_skb")->agrees);
  CHECK_FALSE(witness(off_by(4)[1], "kfree_skb")->agrees);
  const auto received = [](std::uint64_t packets) {
    return effects(every_sample([packets](events::CounterSample& sample) {
      if (sample.t_mono_ns > test::kWindowStart) sample.container_device.rx_packets += packets;
    }));
  };
  CHECK(witness(received(10)[2], "container device")->agrees); // 5 + 0.5 % of 1104
  CHECK_FALSE(witness(received(11)[2], "container device")->agrees);
}

TEST_CASE("packets still held have not reached the container's device") {
  const auto found = effects(every_sample([](events::CounterSample& sample) {
    if (sample.t_mono_ns <= test::kWindowStart) return;
    sample.line[BROWNOUT_INGRESS].held = 40;
    sample.container_device.rx_packets -= 40;
  }));
  CHECK(witness(found[2], "container device")->agrees);
}

TEST_CASE("retransmits of the baseline's rate are no witness") {
  const auto found = effects(every_sample([](events::CounterSample& sample) {
    sample.snmp["Tcp.RetransSegs"] = 10 * static_cast<std::uint64_t>((sample.t_mono_ns - test::kStart) / test::kSecond);
  }));
  CHECK_FALSE(witness(found[1], "Tcp.RetransSegs")->agrees);
}

TEST_CASE("delay is witnessed by the calls' own medians") {
  const auto found = effects(EvidenceBuilder{});
  const auto* median = witness(found[0], "kernel call latency, median");
  REQUIRE(median);
  CHECK(median->agrees);
  CHECK(median->n == 200);
  CHECK(median->measured == Approx(300).margin(5));
  CHECK(median->expected_low == Approx(285));
  REQUIRE(witness(found[0], "TCP smoothed"));
  CHECK(witness(found[0], "TCP smoothed")->agrees);
  REQUIRE(witness(found[0], "delay line"));
  CHECK(witness(found[0], "delay line")->weight == WitnessWeight::kOwn);
  CHECK_FALSE(witness(effects(EvidenceBuilder{}.window_call_ms(340))[0], "kernel call latency, median")->agrees);
  CHECK_FALSE(witness(effects(EvidenceBuilder{}.window_call_ms(280))[0], "kernel call latency, median")->agrees);
}

TEST_CASE("a skewed distribution may shift the median by less than its mean, but not by any less than its median") {
  auto plan = test::demo_plan();
  plan.tables = {{.name = "pareto", .values = plan::named_table(drill::Distribution::kPareto)}};
  plan.faults[0].abi.distribution = 1;
  plan.faults[0].abi.jitter_ns = 200'000'000;  // the median is 64 ms below the mean
  const auto agrees = [&plan](int call_ms) {
    return witness(effects(EvidenceBuilder{}.window_call_ms(call_ms), plan)[0], "kernel call latency, median")->agrees;
  };
  for (const int between : {250, 280, 305}) CHECK(agrees(between));
  CHECK_FALSE(agrees(225));
  CHECK_FALSE(agrees(335));
}

TEST_CASE("what keeping the order added may make the median longer, never shorter") {
  const auto agrees = [](int call_ms) {
    const auto builder = EvidenceBuilder{}.window_call_ms(call_ms).then([](test::Evidence& evidence) {
      for (auto& sample : evidence.counters) sample.delays[BROWNOUT_EGRESS].order_p50_us = 40'000;
    });
    return witness(effects(builder)[0], "kernel call latency, median")->agrees;
  };
  CHECK(agrees(340));
  CHECK_FALSE(agrees(390));
  CHECK_FALSE(agrees(280));
}

TEST_CASE("both directions delay the round trip twice") {
  auto plan = test::demo_plan();
  plan.faults[0].directions = {BROWNOUT_EGRESS, BROWNOUT_INGRESS};
  plan.faults[0].abi.match.directions = 3;
  const auto found = effects(EvidenceBuilder{}.window_call_ms(610), plan);
  REQUIRE(found.size() == 4);
  for (const std::size_t i : {0, 1}) CHECK(witness(found[i], "kernel call latency, median")->agrees);
}

TEST_CASE("where flows are delayed differently, each call is put back by its own delay") {
  const auto mixed = [](bool other_port_slow) {
    return EvidenceBuilder{}.then([other_port_slow](test::Evidence& evidence) {
      int i = 0;
      for (auto& event : evidence.kernel_events) {
        if (event.raw.kind != BROWNOUT_EVENT_CALL || i++ % 2 == 0) continue;
        event.raw.flow = test::demo_flow(9000); // not matched by the delay
        if (event.raw.phase == BROWNOUT_PHASE_INJECT && !other_port_slow) event.raw.duration_ns = 10'000'000;
      }
    });
  };
  // whatever the others do, only the flows that the fault matches count
  for (const bool slow : {true, false}) {
    const auto found = effects(mixed(slow), two_delays());
    REQUIRE(witness(found[0], "kernel call latency, median"));
    CHECK(witness(found[0], "kernel call latency, median")->agrees);
    CHECK(found[0].latency_calls_window == Approx(100).margin(1)); // of 200
  }
}

TEST_CASE("a delay that no call survives is witnessed by calls held longer than ever, and by none too fast") {
  auto plan = test::demo_plan();
  plan.faults[0].abi.delay_ns = 1'500'000'000;
  const auto cut_off = [&](bool some_fast) {
    return effects(EvidenceBuilder{}.failures(60).then([some_fast](test::Evidence& evidence) {
      std::erase_if(evidence.kernel_events, [&](const test::KernelEvent& event) {
        return !some_fast && event.raw.kind == BROWNOUT_EVENT_CALL && event.raw.phase == BROWNOUT_PHASE_INJECT;
      });
      int left = 40; // fewer answered than cut off
      for (auto& event : evidence.kernel_events)
        if (event.raw.kind == BROWNOUT_EVENT_CALL && event.raw.phase == BROWNOUT_PHASE_INJECT && left-- <= 0)
          event.raw.flags = 0;
      for (auto& sample : evidence.counters)
        std::erase_if(sample.histogram, [](const auto& bucket) { return bucket.phase == BROWNOUT_PHASE_INJECT; });
    }), plan);
  };
  const auto all = cut_off(false);
  REQUIRE(witness(all[0], "kernel call latency, cut off"));
  CHECK(witness(all[0], "kernel call latency, cut off")->agrees);
  CHECK(all[0].latency_calls_window == 60);
  CHECK_FALSE(witness(cut_off(true)[0], "kernel call latency, cut off")->agrees);
}

TEST_CASE("packets that passed while the fault was halted are counted over the window only") {
  const auto found = effects(every_sample([](events::CounterSample& sample) {
    sample.inject.heartbeat_stale[0] = sample.t_mono_ns > test::kWindowEnd ? 50 : 4; // four from before the window
  }));
  CHECK(found[0].heartbeat_stale == 0);
}

TEST_CASE("matching is that of the BPF programs") {
  auto match = test::demo_plan().faults[0].abi.match;
  const auto flow = test::demo_flow();
  CHECK(findings::matches(match, flow, 1));
  match.protocol = IPPROTO_UDP;
  CHECK_FALSE(findings::matches(match, flow, 1));
  match.protocol = IPPROTO_TCP;
  match.family = 6;
  CHECK_FALSE(findings::matches(match, flow, 1));
  match.family = 4;
  CHECK(findings::matches(match, flow, 1));
  match.has_ports = 1;
  match.peer_port_low = 9000;
  CHECK_FALSE(findings::matches(match, flow, 1));
  match.peer_port_low = 8443;
  CHECK(findings::matches(match, flow, 1));
  match.local_port_high = 39'999;
  CHECK_FALSE(findings::matches(match, flow, 1));
  match.local_port_high = 40'000;
  std::fill(std::begin(match.peer_mask), std::end(match.peer_mask), 0xff);
  CHECK_FALSE(findings::matches(match, flow, 1));
  std::copy(std::begin(flow.peer_address), std::end(flow.peer_address), match.peer_address);
  CHECK(findings::matches(match, flow, 1));
}

}  // namespace findings_effects_test
