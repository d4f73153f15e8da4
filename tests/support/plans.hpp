// SPDX-License-Identifier: MIT
// Plans for the injector without a drill file.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include <arpa/inet.h>

#include "brownout/plan.hpp"

namespace brownout::test {

inline constexpr std::uint8_t kBothDirections = 3, kEgressOnly = 1, kIngressOnly = 2;

// match: all, until narrowed.
class FaultBuilder {
 public:
  static FaultBuilder latency(std::chrono::nanoseconds delay, std::chrono::nanoseconds jitter = {}) {
    FaultBuilder fault{BROWNOUT_FAULT_LATENCY};
    fault.abi_.delay_ns = static_cast<std::uint64_t>(delay.count());
    fault.abi_.jitter_ns = static_cast<std::uint64_t>(jitter.count());
    return fault;
  }
  static FaultBuilder loss(double rate) {
    FaultBuilder fault{BROWNOUT_FAULT_LOSS};
    fault.rate_ = rate;
    fault.abi_.drop_threshold = static_cast<std::uint64_t>(rate * 4294967296.0);
    return fault;
  }
  // All inside of bursts and nothing between them.
  static FaultBuilder bursts(double enter, double leave) {
    auto fault = loss(1);
    fault.rate_ = enter / (enter + leave);
    fault.abi_.burst_enter = static_cast<std::uint64_t>(enter * 4294967296.0);
    fault.abi_.burst_leave = static_cast<std::uint64_t>(leave * 4294967296.0);
    return fault;
  }
  FaultBuilder& inside_and_between(double inside, double between) {
    abi_.drop_threshold = static_cast<std::uint64_t>(inside * 4294967296.0);
    abi_.drop_between = static_cast<std::uint64_t>(between * 4294967296.0);
    return *this;
  }
  static FaultBuilder blackhole() { return FaultBuilder{BROWNOUT_FAULT_BLACKHOLE}; }

  FaultBuilder& distribution(drill::Distribution which) {
    distribution_ = which;
    return *this;
  }
  FaultBuilder& correlation(double share) {
    abi_.reuse_threshold = static_cast<std::uint64_t>(share * 4294967296.0);
    return *this;
  }
  FaultBuilder& reorder() {
    abi_.flags |= BROWNOUT_FAULT_REORDER;
    return *this;
  }
  FaultBuilder& directions(std::uint8_t mask) {
    abi_.match.directions = mask;
    return *this;
  }
  FaultBuilder& protocol(std::uint8_t number) {
    abi_.match.protocol = number;
    return *this;
  }
  FaultBuilder& family(std::uint8_t four_or_six) {
    abi_.match.family = four_or_six;
    return *this;
  }
  FaultBuilder& port(std::uint16_t low, std::uint16_t high = 0) {
    abi_.match.has_ports = 1;
    abi_.match.peer_port_low = low;
    abi_.match.peer_port_high = std::max(low, high);
    return *this;
  }
  FaultBuilder& local_port(std::uint16_t port) {
    abi_.match.has_ports = 1;
    abi_.match.local_port_low = abi_.match.local_port_high = port;
    return *this;
  }
  FaultBuilder& connections(double share) {
    abi_.match.share_threshold = static_cast<std::uint32_t>(share * 4294967296.0);
    return *this;
  }
  FaultBuilder& cidr(const std::string& network, unsigned prefix) {
    const bool v4 = network.find(':') == std::string::npos;
    const unsigned bits = v4 ? prefix + 96 : prefix;
    for (unsigned bit = 0; bit < bits; ++bit)
      abi_.match.peer_mask[bit / 8] = static_cast<std::uint8_t>(abi_.match.peer_mask[bit / 8] | (0x80U >> bit % 8));
    ::inet_pton(AF_INET6, (v4 ? "::ffff:" + network : network).c_str(), abi_.match.peer_address);
    return *this;
  }

  plan::PlannedFault build(std::size_t index) const {
    plan::PlannedFault fault{.index = index, .label = "test", .abi = abi_, .rate = rate_};
    for (const int direction : {BROWNOUT_EGRESS, BROWNOUT_INGRESS})
      if (abi_.match.directions & (1 << direction)) fault.directions.push_back(direction);
    return fault;
  }
  // The fault, with its table in the plan.
  void add_to(plan::Plan& plan) const {
    auto fault = build(plan.faults.size());
    if (distribution_ != drill::Distribution::kUniform) {
      plan.tables.push_back({.name = "test", .values = plan::named_table(distribution_)});
      fault.abi.distribution = static_cast<std::uint32_t>(plan.tables.size());
    }
    plan.needs_delay_line |= is_latency();
    plan.faults.push_back(std::move(fault));
  }
  bool is_latency() const { return abi_.kind == BROWNOUT_FAULT_LATENCY; }

 private:
  explicit FaultBuilder(std::uint32_t kind) {
    abi_.kind = kind;
    abi_.match.directions = kBothDirections;
    abi_.match.peer_port_high = abi_.match.local_port_high = 65535;
  }
  brownout_fault abi_{};
  double rate_ = 1;
  drill::Distribution distribution_ = drill::Distribution::kUniform;
};

inline plan::Plan plan_of(const std::vector<FaultBuilder>& faults, std::uint64_t seed = 42,
                          std::chrono::nanoseconds max_duration = std::chrono::seconds{60}) {
  plan::Plan plan;
  plan.seed = seed;
  plan.max_duration_ns = max_duration.count();
  for (const auto& fault : faults) fault.add_to(plan);
  return plan;
}

}  // namespace brownout::test
