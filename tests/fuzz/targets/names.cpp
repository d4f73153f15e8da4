// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>
#include <vector>

#include "../../../userspace/events/name_parsers.hpp"
#include "brownout/events.hpp"
#include "targets.hpp"

namespace brownout::fuzz {
namespace {

using namespace brownout::events;

void require_plain(const std::string& name) {
  require(!name.empty() && name.size() <= 4 * 1020 &&
              std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~' && (c < 'A' || c > 'Z'); }),
          "a name that is not plain: " + name);
}

bool dns(Bytes bytes) {
  const auto message = parse_dns(bytes);
  if (!message) return false;
  require(message->addresses.size() <= 64, "more addresses than a message can have");
  if (!message->question.empty()) require_plain(message->question);
  return !message->question.empty();
}

bool hello(Bytes bytes) {
  const auto found = parse_client_hello(bytes);
  require((found.outcome == HelloOutcome::kName) == !found.name.empty(), "outcome and name of a hello disagree");
  if (!found.name.empty()) require_plain(found.name);
  return !found.name.empty();
}

bool http(const std::vector<std::uint8_t>& bytes) {
  const auto host = parse_http_host({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (host) require_plain(*host);
  return host.has_value();
}

// As the kernel hands it over; its lengths may lie as well.
void as_payload(std::string_view text) {
  static NameReader reader;
  brownout_payload payload{};
  payload.kind = text.size() % 2 == 0 ? BROWNOUT_PAYLOAD_DNS : BROWNOUT_PAYLOAD_OPENING;
  payload.copied = static_cast<__u32>(text.size() * 3);
  payload.length = static_cast<__u32>(text.size());
  std::memcpy(payload.bytes, text.data(), std::min<std::size_t>(text.size(), BROWNOUT_PAYLOAD_BYTES));
  for (const auto& record : reader.read(payload)) require_plain(record.name);
}

}  // namespace

bool names(std::string_view text) {
  // Exactly as large as it is: a read beyond its end is seen by the sanitizers.
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  as_payload(text);
  const bool by_dns = dns(bytes), by_hello = hello(bytes), by_http = http(bytes);
  return by_dns || by_hello || by_http;
}

}  // namespace brownout::fuzz
