// SPDX-License-Identifier: MIT
// DNS messages, byte by byte (RFC 1035).
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace brownout::test {

inline constexpr std::uint16_t kTypeA = 1, kTypeCname = 5, kTypeAaaa = 28;
inline constexpr std::uint8_t kNoError = 0, kServerFailure = 2, kNoSuchName = 3, kRefused = 5;

inline std::string two_bytes(unsigned value) { return {static_cast<char>(value >> 8), static_cast<char>(value & 255)}; }

// "api.example" as labels.
inline std::string dns_name(std::string_view name) {
  std::string labels;
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    labels += static_cast<char>(label.size());
    labels += label;
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  return labels + '\0';
}

inline std::string dns_query(std::uint16_t transaction, std::string_view name, std::uint16_t type = kTypeA) {
  return two_bytes(transaction) + two_bytes(0x0100) + two_bytes(1) + two_bytes(0) + two_bytes(0) + two_bytes(0) +
         dns_name(name) + two_bytes(type) + two_bytes(1);
}

// One resource record; `owner` is the question's name unless given.
inline std::string dns_record(std::uint16_t type, std::string_view data, std::string_view owner = "\xc0\x0c") {
  return std::string{owner} + two_bytes(type) + two_bytes(1) + two_bytes(0) + two_bytes(60) +
         two_bytes(static_cast<unsigned>(data.size())) + std::string{data};
}

// The answer to `query` (header and one question).
inline std::string dns_answer(std::string query, std::uint8_t rcode, std::initializer_list<std::string> records = {}) {
  query[2] = static_cast<char>(0x81);
  query[3] = static_cast<char>(0x80 | rcode);
  query[7] = static_cast<char>(records.size());
  for (const auto& record : records) query += record;
  return query;
}

// As TCP carries it.
inline std::string with_length(const std::string& message) {
  return two_bytes(static_cast<unsigned>(message.size())) + message;
}

}  // namespace brownout::test
