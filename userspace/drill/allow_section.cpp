// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "scalars.hpp"
#include "sections.hpp"

namespace brownout::drill {
namespace {

constexpr Choice<Allowed> kAllowed[] = {{"dhcp", Allowed::kDhcp},
                                        {"metadata", Allowed::kMetadata},
                                        {"operator_ssh", Allowed::kOperatorSsh},
                                        {"runtime_sockets", Allowed::kRuntimeSockets}};

constexpr std::array<std::string_view, 7> kMetadata{"169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32",
                                                    "100.100.100.200/32", "fd00:ec2::254/128", "fd00:ec2::23/128",
                                                    "fd20:ce::254/128"};

bool within_dhcp(const std::optional<PortRange>& ports) {
  return ports && ((ports->low >= 67 && ports->high <= 68) || (ports->low >= 546 && ports->high <= 547));
}

bool only_dhcp(const Match& match) {
  return match.protocol == Protocol::kUdp && (within_dhcp(match.port) || within_dhcp(match.local_port));
}

bool only_metadata(const Match& match) {
  return match.cidr && std::ranges::find(kMetadata, *match.cidr) != kMetadata.end();
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
