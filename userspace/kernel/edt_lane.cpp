// SPDX-License-Identifier: MIT
#include "edt_lane.hpp"

#include <array>
#include <cerrno>

#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "device_offloads.hpp"
#include "netns.hpp"
#include "quiet_device.hpp"
#include "receive_steering.hpp"
#include "tap_device.hpp"

namespace brownout::kernel {
namespace {

constexpr std::uint32_t kMtu = 65535;
// BIG TCP: what a veth of the target may send in one piece goes through in one piece (IPv6 since 5.19, IPv4 since 6.3).
constexpr std::uint32_t kGsoMax = 8 * 65535;
constexpr char kInnerName[] = "inner";

Result<std::string> draw_name(std::size_t direction) {
  std::uint32_t drawn = 0;
  if (::getrandom(&drawn, sizeof drawn, 0) != static_cast<ssize_t>(sizeof drawn))
    return fail_errno(ErrorCode::kKernel, "draw random numbers");
  return fmt::format("{}{:06x}{}", kOurDevices, drawn & 0xffffffU, direction == BROWNOUT_EGRESS ? 'e' : 'i');
}

Result<int> index_of(const std::string& device) {
  const unsigned index = ::if_nametoindex(device.c_str());
  if (index == 0) return fail_errno(ErrorCode::kKernel, "find the device " + device);
  return static_cast<int>(index);
}

Result<std::uint64_t> drops_of(Netlink& netlink, int ifindex) {
  ifinfomsg which{};
  which.ifi_index = ifindex;
  BROWNOUT_ASSIGN(const auto replies, netlink.ask({RTM_GETLINK, NLM_F_ACK, which}, "read the counters of a device"));
  for (const auto& reply : replies)
    if (const auto stats = attribute_value<rtnl_link_stats64>(reply.attribute(sizeof which, IFLA_STATS64)))
      return stats->rx_dropped + stats->tx_dropped;
  return fail(ErrorCode::kNotFound, "the kernel gives no counters of a device");
}

// A device that refuses has super-packets cut on the way, and the programs count the pieces.
bool raise_gso_max(Netlink& netlink, int ifindex) {
  ifinfomsg which{};
  which.ifi_index = ifindex;
  NetlinkRequest larger{RTM_NEWLINK, NLM_F_ACK, which};
  larger.attribute(IFLA_GSO_MAX_SIZE, kGsoMax);
  larger.attribute(IFLA_GSO_IPV4_MAX_SIZE, kGsoMax);  // not looked at before 6.3
  return netlink.ask(std::move(larger), "raise the segmentation limit").has_value();
}

Result<std::unique_ptr<Netlink>> netlink_here() {
  BROWNOUT_ASSIGN(auto netlink, Netlink::open());
  return std::make_unique<Netlink>(std::move(netlink));
}

}  // namespace

Result<EdtLane> EdtLane::make(const Config& config) {
  EdtLane lane;
  lane.hook_ = config.hook;
  auto made = lane.make_pair(config);
  if (made) made = lane.set_up(config.limits, config.netns);
  if (made) return lane;
  static_cast<void>(lane.remove());
  return std::unexpected(std::move(made).error());
}

Result<> EdtLane::make_pair(const Config& config) {
  BROWNOUT_ASSIGN(outer_.device, draw_name(config.direction));
  inner_.device = fmt::format("{}{}", kInnerName, config.direction);
  BROWNOUT_ASSIGN(outer_.netlink, netlink_here());
  const ifinfomsg any{};
  NetlinkRequest request{RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, any};
  const auto text = [&request](std::uint16_t type, const std::string& value) {
    request.attribute(type, value.c_str(), value.size() + 1);
  };
  text(IFLA_IFNAME, outer_.device);
  request.attribute(IFLA_NUM_TX_QUEUES, std::uint32_t{1});
  request.attribute(IFLA_NUM_RX_QUEUES, std::uint32_t{1});
  const auto info = request.begin(IFLA_LINKINFO);
  text(IFLA_INFO_KIND, "veth");
  const auto data = request.begin(IFLA_INFO_DATA);
  const auto peer = request.begin(VETH_INFO_PEER);
  request.body(any);
  text(IFLA_IFNAME, inner_.device);
  request.attribute(IFLA_NUM_TX_QUEUES, std::uint32_t{1});
  request.attribute(IFLA_NUM_RX_QUEUES, std::uint32_t{1});
  request.attribute(IFLA_NET_NS_FD, static_cast<std::uint32_t>(config.netns.get()));
  request.end(peer);
  request.end(data);
  request.end(info);
  if (auto made = outer_.netlink->ask(std::move(request), "make a veth pair for the edt backend"); !made)
    return std::unexpected(std::move(made).error().with_hint("It needs the veth driver, as containers do: modprobe veth."));
  BROWNOUT_ASSIGN(outer_.ifindex, index_of(outer_.device));
  return {};
}

Result<> EdtLane::set_up(const FqLimits& limits, const UniqueFd& netns) {
  BROWNOUT_TRY(add_fq(*outer_.netlink, outer_.ifindex, outer_.device, limits));
  const bool outer_raised = raise_gso_max(*outer_.netlink, outer_.ifindex);
  // Of both ends: a driver gives its two the same.
  BROWNOUT_ASSIGN(gso_types_, gso_types_of(outer_.device));
  BROWNOUT_TRY(steer_receive_by_flow(outer_.device));
  BROWNOUT_TRY(bring_up_quietly(outer_.ifindex, outer_.device, {.mtu = kMtu}));
  return in_netns(netns, [&]() -> Result<> {
    BROWNOUT_ASSIGN(inner_.netlink, netlink_here());
    BROWNOUT_ASSIGN(inner_.ifindex, index_of(inner_.device));
    BROWNOUT_TRY(steer_receive_by_flow(inner_.device));
    if (raise_gso_max(*inner_.netlink, inner_.ifindex) && outer_raised) gso_max_ = kGsoMax;
    return bring_up_quietly(inner_.ifindex, inner_.device, {.mtu = kMtu});
  });
}

Result<> EdtLane::attach_end(End& end, const Hookings& hookings) {
  if (hook_ == HookKind::kClsact) {
    BROWNOUT_ASSIGN(auto clsact, ClsactQdisc::ensure(end.ifindex, end.device, nullptr));
    clsact.leave_to_device();
  }
  const auto attach = [&](const Hooking& hooking) {
    return ClassifierHook::attach(hook_, bpf_program__fd(hooking.program), {end.ifindex, end.device, hooking.side}, nullptr);
  };
  const auto& [egress, ingress] = hookings;
  BROWNOUT_ASSIGN(end.egress, attach(egress));
  BROWNOUT_ASSIGN(end.ingress, attach(ingress));
  return {};
}

Result<> EdtLane::attach(inject_bpf& skeleton, const UniqueFd& netns) {
  BROWNOUT_TRY(attach_end(outer_, hookings_of_outer_end(skeleton)));
  return in_netns(netns, [&] { return attach_end(inner_, hookings_of_inner_end(skeleton)); });
}

Result<> EdtLane::remove() {
  // Not removed one by one: from here the inner ones would be looked for in the wrong namespace.
  for (End* end : {&outer_, &inner_})
    for (ClassifierHook* hook : {&end->ingress, &end->egress}) hook->leave_to_device();
  if (outer_.ifindex == 0) return {};
  ifinfomsg which{};
  which.ifi_index = std::exchange(outer_.ifindex, 0);
  auto removed = outer_.netlink->ask({RTM_DELLINK, NLM_F_ACK, which}, "remove " + outer_.device);
  if (!removed && removed.error().errno_value != ENODEV) return std::unexpected(std::move(removed).error());
  return {};
}

Result<EdtLane::State> EdtLane::state() {
  State state;
  BROWNOUT_ASSIGN(state.queue, root_queue(*outer_.netlink, outer_.ifindex));
  BROWNOUT_ASSIGN(const auto outer, drops_of(*outer_.netlink, outer_.ifindex));
  BROWNOUT_ASSIGN(const auto inner, drops_of(*inner_.netlink, inner_.ifindex));
  state.device_drops = outer + inner;
  return state;
}

void EdtLane::append_objects(ObjectIds& ids) const {
  for (const End* end : {&outer_, &inner_})
    for (const ClassifierHook* hook : {&end->ingress, &end->egress})
      if (const auto id = hook->link_id(); id != 0) ids.links.push_back(id);
  if (outer_.ifindex != 0) ids.interfaces.push_back(outer_.ifindex);
}

}  // namespace brownout::kernel
