// SPDX-License-Identifier: MIT
#include "qdisc.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <sys/socket.h>

#include <fmt/format.h>

namespace brownout::kernel {
namespace {

tcmsg body_of(const NetlinkReply& reply) {
  tcmsg message{};
  std::memcpy(&message, reply.bytes.data(), std::min(sizeof message, reply.bytes.size()));
  return message;
}

Result<std::vector<NetlinkReply>> qdiscs_of(Netlink& netlink, int ifindex) {
  tcmsg which{};
  which.tcm_family = AF_UNSPEC;
  which.tcm_ifindex = ifindex;
  BROWNOUT_ASSIGN(auto replies, netlink.ask({RTM_GETQDISC, NLM_F_DUMP, which}, "list the qdiscs of a device"));
  // Older kernels list those of every device.
  std::erase_if(replies, [ifindex](const NetlinkReply& reply) {
    return reply.type != RTM_NEWQDISC || body_of(reply).tcm_ifindex != ifindex;
  });
  return replies;
}

std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

}  // namespace

Result<> add_fq(Netlink& netlink, int ifindex, const std::string& device, const FqLimits& limits) {
  tcmsg where{};
  where.tcm_family = AF_UNSPEC;
  where.tcm_ifindex = ifindex;
  where.tcm_parent = TC_H_ROOT;
  where.tcm_handle = TC_H_MAKE(1U << 16, 0);
  NetlinkRequest request{RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, where};
  request.attribute(TCA_KIND, "fq", sizeof "fq");
  const auto options = request.begin(TCA_OPTIONS);
  request.attribute(TCA_FQ_PLIMIT, limits.packets);
  request.attribute(TCA_FQ_FLOW_PLIMIT, limits.packets);
  request.attribute(TCA_FQ_RATE_ENABLE, std::uint32_t{0});   // departure times only, no pacing of its own
  request.attribute(TCA_FQ_TIMER_SLACK, std::uint32_t{1000});  // ns
  request.attribute(TCA_FQ_HORIZON, static_cast<std::uint32_t>(limits.horizon.count()));
  request.attribute(TCA_FQ_HORIZON_DROP, std::uint8_t{1});
  request.end(options);
  auto added = netlink.ask(std::move(request), "add the fq qdisc to " + device);
  if (added) return {};
  if (added.error().errno_value == ENOENT) added.error().code = ErrorCode::kUnsupported;
  return std::unexpected(std::move(added).error().with_hint(
      "The edt backend needs sch_fq: modprobe sch_fq (linux-modules-extra or kernel-modules-core on some distributions)."));
}

Result<QueueState> root_queue(Netlink& netlink, int ifindex) {
  BROWNOUT_ASSIGN(const auto replies, qdiscs_of(netlink, ifindex));
  for (const auto& reply : replies) {
    if (body_of(reply).tcm_parent != TC_H_ROOT) continue;
    const auto statistics = reply.attribute(sizeof(tcmsg), TCA_STATS2);
    const auto queue = statistics ? attribute_value<gnet_stats_queue>(find_attribute(*statistics, TCA_STATS_QUEUE))
                                  : std::optional<gnet_stats_queue>{};
    if (queue) return QueueState{.held = queue->qlen, .held_bytes = queue->backlog, .drops = queue->drops};
  }
  return fail(ErrorCode::kNotFound, fmt::format("the device with index {} has no queue of ours any more", ifindex));
}

Result<std::vector<std::string>> qdisc_listing(int ifindex) {
  BROWNOUT_ASSIGN(auto netlink, Netlink::open());
  BROWNOUT_ASSIGN(const auto replies, qdiscs_of(netlink, ifindex));
  std::vector<std::string> listing;
  for (const auto& reply : replies) {
    const tcmsg message = body_of(reply);
    const auto options = reply.attribute(sizeof message, TCA_OPTIONS);
    listing.push_back(fmt::format("{} handle {:x} parent {:x} options {}",
                                  attribute_text(reply.attribute(sizeof message, TCA_KIND)), message.tcm_handle,
                                  message.tcm_parent, options ? hex(*options) : ""));
  }
  std::ranges::sort(listing);
  return listing;
}

}  // namespace brownout::kernel
