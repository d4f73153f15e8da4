// SPDX-License-Identifier: MIT
// kernel/names.jsonl.
#include <array>

#include <arpa/inet.h>

#include "name_parsers.hpp"
#include "names.hpp"
#include "records.hpp"

namespace brownout::events {
namespace {

void decode_address(const Json& record, std::string& into, Problem& problem) {
  read(record, "address", into, problem);
  std::array<std::uint8_t, 16> address{};
  if (::inet_pton(AF_INET, into.c_str(), address.data()) != 1 &&
      ::inet_pton(AF_INET6, into.c_str(), address.data()) != 1)
    problem.report("'address' must be an address");
}

}  // namespace

OrderedJson encode(const NameRecord& name) {
  OrderedJson record;
  record["t_mono_ns"] = name.t_mono_ns;
  record["source"] = encode_name(kNameSources, static_cast<std::uint32_t>(name.source));
  record["name"] = name.name;
  record["address"] = name.address;
  record["port"] = name.port == 0 ? OrderedJson(nullptr) : OrderedJson(name.port);
  record["cookie"] = name.cookie;
  record["ttl_s"] = name.ttl_s ? OrderedJson(*name.ttl_s) : OrderedJson(nullptr);
  return record;
}

void decode(const Json& record, NameRecord& into, Problem& problem) {
  std::uint32_t source = 0;
  read(record, "t_mono_ns", into.t_mono_ns, problem);
  decode_name(record, "source", kNameSources, source, problem);
  if (source >= kNameSources.size()) problem.report("'source' has an unknown name");
  into.source = static_cast<NameSource>(source);
  read(record, "name", into.name, problem);
  decode_address(record, into.address, problem);
  if (const auto* port = member(record, "port", problem); port != nullptr && !port->is_null())
    decode(*port, into.port, "port", problem);
  read(record, "cookie", into.cookie, problem);
  if (const auto* ttl = member(record, "ttl_s", problem); ttl != nullptr && !ttl->is_null())
    decode(*ttl, into.ttl_s.emplace(), "ttl_s", problem);
}

}  // namespace brownout::events
