// SPDX-License-Identifier: MIT
#include "packet_cost.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <vector>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "brownout/abi/match.h"
#include "brownout/clock.hpp"

namespace brownout::kernel {
namespace {

constexpr std::size_t kRuns = 501; // one at a time: a program that hands a packet on changes it
constexpr std::size_t kTransport = 20;
constexpr std::uint16_t kDiscard = 9;

template <typename Header>
void append(std::vector<std::uint8_t>& frame, const Header& header) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&header);
  frame.insert(frame.end(), bytes, bytes + sizeof header);
}

// As it leaves the container or comes to it: Ethernet, IP, and as much of a transport header as has ports in it.
std::vector<std::uint8_t> frame_of(const brownout_flow_key& flow, int direction) {
  const bool leaves = direction == BROWNOUT_EGRESS;
  const auto* source = leaves ? flow.local_address : flow.peer_address;
  const auto* destination = leaves ? flow.peer_address : flow.local_address;
  const std::array<std::uint16_t, kTransport / 2> transport{htons(leaves ? flow.local_port : flow.peer_port),
                                                            htons(leaves ? flow.peer_port : flow.local_port), 0, 0, 0, 0,
                                                            htons(0x5010)};
  const bool v4 = brownout_is_v4_mapped(flow.peer_address);
  std::vector<std::uint8_t> frame;
  append(frame, ethhdr{.h_dest = {2}, .h_source = {2}, .h_proto = htons(v4 ? ETH_P_IP : ETH_P_IPV6)});
  if (v4) {
    iphdr ip{};
    ip.version = 4;
    ip.ihl = 5;
    ip.ttl = 64;
    ip.protocol = flow.protocol;
    ip.tot_len = htons(sizeof ip + kTransport);
    std::memcpy(&ip.saddr, source + 12, sizeof ip.saddr);
    std::memcpy(&ip.daddr, destination + 12, sizeof ip.daddr);
    append(frame, ip);
  } else {
    ip6_hdr ip{};
    ip.ip6_flow = htonl(6U << 28);
    ip.ip6_hlim = 64;
    ip.ip6_nxt = flow.protocol == IPPROTO_ICMP ? std::uint8_t{IPPROTO_ICMPV6} : flow.protocol;
    ip.ip6_plen = htons(kTransport);
    std::memcpy(&ip.ip6_src, source, sizeof ip.ip6_src);
    std::memcpy(&ip.ip6_dst, destination, sizeof ip.ip6_dst);
    append(frame, ip);
  }
  append(frame, transport);
  return frame;
}

brownout_flow_key flow_to(const char* peer, std::uint8_t protocol, std::uint16_t port) {
  brownout_flow_key flow{.local_port = 40000, .peer_port = port, .protocol = protocol};
  for (auto* address : {flow.local_address, flow.peer_address}) address[10] = address[11] = 0xff;
  ::inet_pton(AF_INET, "192.0.2.2", flow.local_address + 12); // of TEST-NET-1, as the peers (RFC 5737)
  ::inet_pton(AF_INET, peer, flow.peer_address + 12);
  return flow;
}

brownout_flow_key flow_hit_by(const brownout_match& match) {
  const std::uint8_t protocol = match.protocol != 0 ? match.protocol : std::uint8_t{IPPROTO_TCP};
  auto flow = flow_to("192.0.2.1", protocol, match.has_ports != 0 ? match.peer_port_low : kDiscard);
  if (match.has_ports != 0) flow.local_port = std::clamp(flow.local_port, match.local_port_low, match.local_port_high);
  if (match.family == 0) return flow;
  std::memcpy(flow.peer_address, match.peer_address, sizeof flow.peer_address);
  if (match.family == 6) std::memcpy(flow.local_address, match.peer_address, sizeof flow.local_address);
  return flow;
}

std::optional<brownout_flow_key> flow_hit_by_none(const plan::Plan& plan) {
  for (const auto& flow : {flow_to("192.0.2.1", IPPROTO_UDP, kDiscard), flow_to("192.0.2.1", IPPROTO_TCP, kDiscard),
                           flow_to("198.51.100.1", IPPROTO_UDP, kDiscard), flow_to("198.51.100.1", IPPROTO_TCP, kDiscard)})
    if (std::ranges::none_of(plan.faults, [&](const auto& fault) { return plan::hits(plan, fault, flow); })) return flow;
  return std::nullopt;
}

// The median; nothing where the kernel does not run the program.
std::optional<double> time_of(const bpf_program* program, const std::vector<std::uint8_t>& frame) {
  std::vector<std::uint32_t> took;
  for (std::size_t i = 0; i < kRuns; ++i) {
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(), .data_size_in = static_cast<__u32>(frame.size()));
    if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) != 0) return std::nullopt;
    took.push_back(options.duration);
  }
  std::ranges::nth_element(took, took.begin() + kRuns / 2);
  return took[kRuns / 2];
}

bool arm(int control_map_fd) {
  constexpr std::uint64_t never = std::numeric_limits<std::int64_t>::max();
  const auto now = static_cast<std::uint64_t>(boottime_ns());
  const brownout_control control{.armed = 1,
                                 .deadline_boot_ns = never,
                                 .heartbeat_limit_ns = never,
                                 .heartbeat_boot_ns = now,
                                 .line_heartbeat_boot_ns = {now, now}};
  const std::uint32_t zero = 0;
  return bpf_map_update_elem(control_map_fd, &zero, &control, BPF_ANY) == 0;
}

}  // namespace

std::optional<PacketCost> measure_packet_cost(const inject_bpf& skeleton, const plan::Plan& plan, int control_map_fd) {
  if (!arm(control_map_fd)) return std::nullopt;
  const auto& first = plan.faults.front();
  const int direction = first.directions.front();
  const auto* program = direction == BROWNOUT_EGRESS ? skeleton.progs.from_container : skeleton.progs.to_container;
  const auto hit = time_of(program, frame_of(flow_hit_by(first.abi.match), direction));
  if (!hit) return std::nullopt;
  PacketCost cost{.missed_ns = std::nullopt, .hit_ns = *hit};
  if (const auto missed = flow_hit_by_none(plan)) cost.missed_ns = time_of(program, frame_of(*missed, direction));
  return cost;
}

}  // namespace brownout::kernel
