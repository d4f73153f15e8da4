// SPDX-License-Identifier: MIT
#include <arpa/inet.h>

#include <fmt/format.h>

#include "brownout/abi/match.h"
#include "scalars.hpp"
#include "sections.hpp"

namespace brownout::drill {
namespace {

constexpr Choice<Allowed> kAllowed[] = {{"dhcp", Allowed::kDhcp},
                                        {"metadata", Allowed::kMetadata},
                                        {"operator_ssh", Allowed::kOperatorSsh},
                                        {"runtime_sockets", Allowed::kRuntimeSockets}};

// The programs' own rule, for the few ports and the one address that a match may be narrowed to.
bool within_dhcp(const std::optional<PortRange>& ports) {
  return ports && ports->high - ports->low <= 1 && brownout_is_dhcp_port(ports->low) && brownout_is_dhcp_port(ports->high);
}

bool only_dhcp(const Match& match) {
  return match.protocol == Protocol::kUdp && (within_dhcp(match.port) || within_dhcp(match.local_port));
}

bool only_metadata(const Match& match) {
  if (!match.cidr) return false;
  const bool v4 = match.cidr->ends_with("/32") && !match.cidr->contains(':');
  if (!v4 && !match.cidr->ends_with("/128")) return false;
  const auto address = match.cidr->substr(0, match.cidr->find('/'));
  __u8 peer[16] = {};
  return ::inet_pton(AF_INET6, (v4 ? "::ffff:" + address : address).c_str(), peer) == 1 && brownout_is_metadata(peer);
}

std::unexpected<Error> refuse_as(const Cursor& cursor, std::string_view what, Allowed allowed) {
  return cursor.refuse(fmt::format("nothing but {}, which is spared", what),
                       fmt::format("add `allow: [{}]` to hit it", allowed_name(allowed)));
}

}  // namespace

std::string_view allowed_name(Allowed allowed) {
  for (const auto& [word, value] : kAllowed)
    if (value == allowed) return word;
  return "unknown";
}

Result<std::set<Allowed>> read_allow(const Cursor& cursor) {
  std::set<Allowed> allow;
  BROWNOUT_ASSIGN(const auto items, sequence(cursor, 1, std::size(kAllowed)));
  for (const Cursor& item : items) {
    BROWNOUT_ASSIGN(const Allowed allowed, read_choice(item, kAllowed));
    if (!allow.insert(allowed).second) return item.refuse("it stands there twice", "write each word once");
  }
  return allow;
}

Result<> refuse_spared(const Cursor& cursor, const Match& match, const std::set<Allowed>& allow) {
  if (only_dhcp(match) && !allow.contains(Allowed::kDhcp)) return refuse_as(cursor, "DHCP", Allowed::kDhcp);
  if (only_metadata(match) && !allow.contains(Allowed::kMetadata))
    return refuse_as(cursor, "a cloud's metadata service", Allowed::kMetadata);
  return {};
}

}  // namespace brownout::drill
