// SPDX-License-Identifier: MIT
// Drops, seen by somebody else: the kernel's own drop reasons, the device counters past the drop point, TCP's SNMP.
#include <algorithm>
#include <cmath>

#include <netinet/in.h>

#include "parts.hpp"
#include "samples.hpp"

namespace brownout::findings {
namespace {

constexpr double kRelative = 0.005;
constexpr double kEgressPackets = 3;  // counters are read one after the other
constexpr double kIngressPackets = 5;
constexpr double kRetransmitsPerDrop = 0.2; // acknowledgements and answers are lost too: the peer repeats those

std::uint64_t drops_at(const plan::Plan& plan, const events::CounterSample& sample, int direction) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < plan.faults.size(); ++i) {
    const auto index = i * BROWNOUT_DIRECTIONS + static_cast<std::size_t>(direction);
    if (plan.faults[i].abi.kind != BROWNOUT_FAULT_LATENCY && index < sample.faults.size())
      sum += sample.faults[index].applied.packets;
  }
  return sum;
}

Witness judged(Witness witness) {
  witness.agrees = witness.measured >= witness.expected_low && witness.measured <= witness.expected_high;
  return witness;
}

void witness_egress(const plan::Plan& plan, const Span& span, FaultEffect& effect) {
  if (!span.first->has_drop_witness || !span.last->has_drop_witness) return;
  constexpr auto kReason = "TC_INGRESS";
  const auto at = [&](const events::CounterSample& sample) {
    const auto found = sample.drop_witness.find(kReason);
    return found == sample.drop_witness.end() ? 0 : found->second;
  };
  const auto applied = static_cast<double>(
      growth(drops_at(plan, *span.first, BROWNOUT_EGRESS), drops_at(plan, *span.last, BROWNOUT_EGRESS)));
  const double tolerance = std::max(kRelative * applied, kEgressPackets);
  effect.witnesses.push_back(judged({.name = std::string{"kfree_skb "} + kReason,
                                     .measured = static_cast<double>(growth(at(*span.first), at(*span.last))),
                                     .expected_low = std::max(0.0, applied - tolerance),
                                     .expected_high = applied + tolerance}));
}

// Packets that the hook met and that went on towards the container: the device there must have received those.
void witness_ingress(const plan::Plan& plan, const Span& span, FaultEffect& effect) {
  const auto sent_on = [&](const events::CounterSample& sample) {
    const auto& line = sample.line[BROWNOUT_INGRESS];
    return static_cast<double>(sample.inject.seen[BROWNOUT_INGRESS].packets) -
           static_cast<double>(drops_at(plan, sample, BROWNOUT_INGRESS)) -
           static_cast<double>(line.held + line.overflow + line.expired + line.write_errors);
  };
  const double expected = sent_on(*span.last) - sent_on(*span.first);
  // The TAP's own drops are of both directions together.
  const auto unclear =
      static_cast<double>(growth(span.first->line[0].device_drops, span.last->line[0].device_drops));
  const double tolerance = kRelative * std::fabs(expected) + kIngressPackets;
  effect.witnesses.push_back(judged({.name = "container device rx_packets",
                                     .measured = static_cast<double>(growth(span.first->container_device.rx_packets,
                                                                            span.last->container_device.rx_packets)),
                                     .expected_low = std::max(0.0, expected - tolerance - unclear),
                                     .expected_high = expected + tolerance}));
}

void witness_retransmits(const plan::Plan& plan, const events::Evidence& evidence, const Span& span,
                         FaultEffect& effect) {
  const auto protocol = plan.faults[effect.fault].abi.match.protocol;
  const auto baseline = window_of(evidence, BROWNOUT_PHASE_BASELINE);
  if ((protocol != 0 && protocol != IPPROTO_TCP) || !baseline) return;
  constexpr auto kName = "Tcp.RetransSegs";
  const auto before = edges(evidence, *baseline);
  const auto dropped =
      static_cast<double>(drops_at(plan, *span.last, BROWNOUT_EGRESS) + drops_at(plan, *span.last, BROWNOUT_INGRESS));
  if (!has_snmp(span, kName) || !has_snmp(before, kName) || dropped < kExpectedDrops) return;
  const auto seconds = [](const Span& over) {
    return std::max(1e-3, static_cast<double>(over.last->t_mono_ns - over.first->t_mono_ns) / kNsPerSecond);
  };
  const double usual = static_cast<double>(snmp_growth(before, kName)) / seconds(before) * seconds(span);
  effect.witnesses.push_back(judged({.name = kName,
                                     .measured = static_cast<double>(snmp_growth(span, kName)),
                                     .expected_low = usual + kRetransmitsPerDrop * dropped,
                                     .expected_high = HUGE_VAL,
                                     .weight = WitnessWeight::kSupporting}));
}

}  // namespace

void witness_drops(const plan::Plan& plan, const events::Evidence& evidence, FaultEffect& effect) {
  const auto span = injecting_span(evidence);
  if (span.first == nullptr || span.last == nullptr || span.first == span.last) return;
  if (effect.direction == BROWNOUT_EGRESS)
    witness_egress(plan, span, effect);
  else
    witness_ingress(plan, span, effect);
  witness_retransmits(plan, evidence, span, effect);
}

}  // namespace brownout::findings
