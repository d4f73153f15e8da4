// SPDX-License-Identifier: MIT
#include <algorithm>
#include <iterator>

#include "name_parsers.hpp"

#include "brownout/capabilities.hpp"
#include "brownout/events.hpp"

namespace brownout::events {
namespace {

constexpr std::size_t kMostQuestions = 16'384; // kept for events that may come

Bytes bytes_of(const brownout_payload& payload) {
  return Bytes{payload.bytes, std::min<std::size_t>(payload.copied, BROWNOUT_PAYLOAD_BYTES)};
}

bool is_cut(const brownout_payload& payload) { return payload.length > payload.copied; }

NameRecord record_of(const brownout_payload& payload, NameSource source, std::string name) {
  return {.t_mono_ns = static_cast<std::int64_t>(payload.t_mono_ns),
          .source = source,
          .name = std::move(name),
          .address = address_text(payload.flow.peer_address),
          .port = payload.flow.peer_port,
          .cookie = payload.cookie};
}

}  // namespace

std::vector<NameRecord> NameReader::admit(std::vector<NameRecord> records) {
  const std::size_t room = kMostNames - std::min<std::size_t>(counts_.recorded, kMostNames);
  if (records.size() > room) {
    counts_.beyond += records.size() - room;
    records.resize(room);
  }
  counts_.recorded += records.size();
  return records;
}

std::vector<NameRecord> NameReader::read(const brownout_payload& payload) {
  const Unprivileged parsing;
  return admit(payload.kind == BROWNOUT_PAYLOAD_DNS ? read_dns(payload) : read_opening(payload));
}

std::vector<NameRecord> NameReader::read_opening(const brownout_payload& payload) {
  const auto bytes = bytes_of(payload);
  const auto hello = parse_client_hello(bytes);
  if (hello.outcome == HelloOutcome::kName) return {record_of(payload, NameSource::kSni, hello.name)};
  const std::string text{bytes.begin(), bytes.end()};
  if (auto host = parse_http_host(text)) return {record_of(payload, NameSource::kHttpHost, std::move(*host))};
  // A hello that is cut by its own length goes on in the next packet.
  ++(hello.outcome == HelloOutcome::kCut || is_cut(payload) ? counts_.cut : counts_.nameless);
  return {};
}

std::vector<NameRecord> NameReader::read_dns(const brownout_payload& payload) {
  auto message = parse_dns(bytes_of(payload));
  if (!message || message->question.empty()) {
    ++(is_cut(payload) ? counts_.cut : counts_.malformed);
    return {};
  }
  if (!message->answer) {
    const Question question{payload.t_mono_ns, payload.cookie};
    auto asked = record_of(payload, NameSource::kDnsQuestion, std::move(message->question));
    if (wanted_.erase(question) > 0) return {std::move(asked)};
    asked_.emplace(question, std::move(asked));
    if (asked_.size() > kMostQuestions) asked_.erase(asked_.begin());
    return {};
  }
  std::vector<NameRecord> records;
  for (const auto& [address, ttl_s] : message->addresses) {
    auto record = record_of(payload, NameSource::kDns, message->question);
    __u8 raw[16];
    std::ranges::copy(address, raw);
    record.address = address_text(raw);
    record.port = 0;
    record.ttl_s = ttl_s;
    if (resolved_.contains({record.name, record.address})) {
      ++counts_.repeated;
      continue;
    }
    if (resolved_.size() < kMostNames) resolved_.emplace(record.name, record.address);
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<NameRecord> NameReader::read(const brownout_event& event) {
  if (!is_dns(event.kind)) return {};
  const Question question{event.call_start_ns, event.cookie};
  if (const auto found = asked_.find(question); found != asked_.end()) {
    std::vector<NameRecord> records{std::move(found->second)};
    asked_.erase(found);
    return admit(std::move(records));
  }
  wanted_.insert(question);
  if (wanted_.size() > kMostQuestions) wanted_.erase(wanted_.begin());
  return {};
}

}  // namespace brownout::events
