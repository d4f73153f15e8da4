// SPDX-License-Identifier: MIT
// Which way the kernel would send a packet.
#include <sys/socket.h>

#include "brownout/abi/match.h"
#include "brownout/kernel.hpp"
#include "netlink.hpp"

namespace brownout::kernel {
namespace {

constexpr std::size_t kMappedPrefixBytes = 12; // of ::ffff:a.b.c.d

std::optional<target::Address> address_in(std::optional<std::span<const std::byte>> content) {
  target::Address address{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!content || (content->size() != 4 && content->size() != 16)) return std::nullopt;
  std::memcpy(address.data() + (16 - content->size()), content->data(), content->size());
  return address;
}

}  // namespace

Result<Route> route_to(const target::Address& address) {
  const bool v4 = brownout_is_v4_mapped(address.data());
  const std::size_t skipped = v4 ? kMappedPrefixBytes : 0;
  rtmsg body{};
  body.rtm_family = v4 ? AF_INET : AF_INET6;
  body.rtm_dst_len = static_cast<unsigned char>(8 * (address.size() - skipped));
  NetlinkRequest request{RTM_GETROUTE, NLM_F_ACK, body};
  request.attribute(RTA_DST, address.data() + skipped, address.size() - skipped);
  BROWNOUT_ASSIGN(auto netlink, Netlink::open());
  BROWNOUT_ASSIGN(const auto replies, netlink.ask(std::move(request), "ask for a route"));
  for (const auto& reply : replies)
    if (reply.type == RTM_NEWROUTE)
      return Route{attribute_value<int>(reply.attribute(sizeof body, RTA_OIF)).value_or(0),
                   address_in(reply.attribute(sizeof body, RTA_GATEWAY))};
  return fail(ErrorCode::kKernel, "the kernel named no route");
}

}  // namespace brownout::kernel
