// SPDX-License-Identifier: MIT
// DNS messages, by the C library's own parser.
#include <algorithm>
#include <cstring>

#include <arpa/nameser.h>

#include "name_parsers.hpp"

namespace brownout::events {
namespace {

constexpr std::size_t kMostAddresses = 64; // of one answer

std::optional<DnsMessage::Address> address_of(const ns_rr& record) {
  DnsMessage::Address found{.ttl_s = ns_rr_ttl(record)};
  if (ns_rr_class(record) != ns_c_in) return std::nullopt;
  if (ns_rr_type(record) == ns_t_a && ns_rr_rdlen(record) == 4) {
    found.address[10] = found.address[11] = 0xff;
    std::memcpy(&found.address[12], ns_rr_rdata(record), 4);
    return found;
  }
  if (ns_rr_type(record) != ns_t_aaaa || ns_rr_rdlen(record) != found.address.size()) return std::nullopt;
  std::memcpy(found.address.data(), ns_rr_rdata(record), found.address.size());
  return found;
}

}  // namespace

std::optional<DnsMessage> parse_dns(Bytes message) {
  ns_msg handle{};
  ns_rr record{};
  if (message.size() > NS_MAXMSG) return std::nullopt;
  if (ns_initparse(message.data(), static_cast<int>(message.size()), &handle) != 0) return std::nullopt;
  if (ns_msg_count(handle, ns_s_qd) != 1 || ns_parserr(&handle, ns_s_qd, 0, &record) != 0) return std::nullopt;
  DnsMessage found{.answer = ns_msg_getflag(handle, ns_f_qr) != 0, .question = plain_name(ns_rr_name(record))};
  const int answers = std::min<int>(ns_msg_count(handle, ns_s_an), kMostAddresses);
  for (int i = 0; found.answer && i < answers; ++i) {
    if (ns_parserr(&handle, ns_s_an, i, &record) != 0) return std::nullopt;
    if (const auto address = address_of(record)) found.addresses.push_back(*address);
  }
  return found;
}

}  // namespace brownout::events
