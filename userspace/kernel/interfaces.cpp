// SPDX-License-Identifier: MIT
// Which device on the host is the other end of a container's veth.
#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <net/if.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "brownout/kernel.hpp"
#include "netlink.hpp"
#include "netns.hpp"

namespace brownout::kernel {
namespace {

struct Link {
  int index = 0;
  std::string name, kind;
  int peer_index = 0;                 // IFLA_LINK
  std::optional<int> peer_namespace;  // IFLA_LINK_NETNSID; absent: the peer is in the same namespace
};

Link read_link(const NetlinkReply& reply) {
  Link link;
  ifinfomsg info{};
  std::memcpy(&info, reply.bytes.data(), std::min(sizeof info, reply.bytes.size()));
  link.index = info.ifi_index;
  link.name = attribute_text(reply.attribute(sizeof info, IFLA_IFNAME));
  link.peer_index = attribute_value<int>(reply.attribute(sizeof info, IFLA_LINK)).value_or(0);
  link.peer_namespace = attribute_value<int>(reply.attribute(sizeof info, IFLA_LINK_NETNSID));
  if (const auto details = reply.attribute(sizeof info, IFLA_LINKINFO))
    link.kind = attribute_text(find_attribute(*details, IFLA_INFO_KIND));
  return link;
}

Result<std::vector<Link>> links(Netlink& netlink) {
  ifinfomsg all{};
  BROWNOUT_ASSIGN(const auto replies, netlink.ask({RTM_GETLINK, NLM_F_DUMP, all}, "list network interfaces"));
  std::vector<Link> found;
  for (const auto& reply : replies)
    if (reply.type == RTM_NEWLINK) found.push_back(read_link(reply));
  return found;
}

// What the namespace of `netlink` calls the namespace `other`; -1: it has no name for it.
Result<int> namespace_id(Netlink& netlink, const UniqueFd& other) {
  rtgenmsg body{};
  NetlinkRequest request{RTM_GETNSID, NLM_F_ACK, body};
  request.attribute(NETNSA_FD, static_cast<std::uint32_t>(other.get()));
  BROWNOUT_ASSIGN(const auto replies, netlink.ask(std::move(request), "ask for the id of a network namespace"));
  for (const auto& reply : replies)
    if (reply.type == RTM_NEWNSID)
      return attribute_value<int>(reply.attribute(NLMSG_ALIGN(sizeof body), NETNSA_NSID)).value_or(-1);
  return -1;
}

struct Side {
  std::vector<Link> links;
  int other_namespace = -1;  // what this side calls the other
};

Result<Side> look(Netlink netlink, const UniqueFd& other) {
  Side side;
  // The dump first: it is what makes the kernel give a peer's namespace an id.
  BROWNOUT_ASSIGN(side.links, links(netlink));
  BROWNOUT_ASSIGN(side.other_namespace, namespace_id(netlink, other));
  return side;
}

Result<Netlink> netlink_of(const UniqueFd& netns) {
  std::optional<Netlink> netlink;
  BROWNOUT_TRY(in_netns(netns, [&]() -> Result<> {
    BROWNOUT_ASSIGN(netlink, Netlink::open());
    return {};
  }));
  return *std::move(netlink);
}

bool points_at(const Link& from, const Link& to, int namespace_of_to) {
  return from.kind == "veth" && from.peer_index == to.index && namespace_of_to >= 0 &&
         from.peer_namespace == namespace_of_to;
}

}  // namespace

Result<std::vector<Interface>> host_side_veths(const target::Target& target) {
  if (target.host_network)
    return fail(ErrorCode::kUnsupported, fmt::format("{} uses the host's network: it has no veth", target.name),
                "Latency and loss need a container with a network namespace of its own.");
  BROWNOUT_ASSIGN(const UniqueFd ours, open_netns(0));
  BROWNOUT_ASSIGN(const UniqueFd theirs, open_netns(target.pid));
  BROWNOUT_ASSIGN(auto our_netlink, netlink_of(ours));
  BROWNOUT_ASSIGN(auto their_netlink, netlink_of(theirs));
  BROWNOUT_ASSIGN(const Side host, look(std::move(our_netlink), theirs));
  BROWNOUT_ASSIGN(const Side container, look(std::move(their_netlink), ours));
  std::vector<Interface> found;
  for (const Link& inner : container.links)
    for (const Link& outer : host.links)
      if (points_at(inner, outer, container.other_namespace) && points_at(outer, inner, host.other_namespace))
        found.push_back({outer.index, outer.name, inner.index, inner.name});
  if (found.empty())
    return fail(ErrorCode::kNotFound, fmt::format("no veth leads from {} to this network namespace", target.name),
                "Run brownout where the other end of the container's interface is; macvlan, ipvlan and --network none "
                "have none.");
  return found;
}

bool is_there(const Interface& interface) {
  std::array<char, IF_NAMESIZE> name{};
  return ::if_indextoname(static_cast<unsigned>(interface.host_ifindex), name.data()) != nullptr;
}

}  // namespace brownout::kernel
