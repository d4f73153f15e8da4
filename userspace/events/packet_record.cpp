// SPDX-License-Identifier: MIT
// kernel/packets.jsonl.
#include <algorithm>
#include <array>
#include <span>

#include "names.hpp"
#include "records.hpp"

namespace brownout::events {
namespace {

constexpr std::size_t kTcpFixed = 20;

// Options whose value is no more than how the connection goes: maximum segment size, window scale, SACK, timestamps.
constexpr std::array<std::uint8_t, 5> kPlainOptions{2, 3, 4, 5, 8};

// Of every other option kind and length stay, and the value goes; so does what is no option.
void blank_options(std::span<char> options) {
  while (!options.empty()) {
    const auto kind = static_cast<std::uint8_t>(options.front());
    const std::size_t length = kind == 1 ? 1 : options.size() < 2 ? 0 : static_cast<std::uint8_t>(options[1]);
    if (kind == 0 || length == 0 || (kind != 1 && length < 2)) return static_cast<void>(std::ranges::fill(options, '\0'));
    const auto whole = std::min(length, options.size());
    if (kind != 1 && std::ranges::find(kPlainOptions, kind) == kPlainOptions.end())
      std::ranges::fill(options.subspan(2, whole - 2), '\0');
    options = options.subspan(whole);
  }
}

std::string hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

void decode_headers(const Json& record, std::string& into, Problem& problem) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  read(record, "headers", text, problem);
  if (text.size() % 2 != 0 || text.size() > 2 * BROWNOUT_CAPTURE_BYTES ||
      text.find_first_not_of(kDigits) != std::string::npos)
    return problem.report(fmt::format("'headers' must be at most {} bytes in lower-case hexadecimal digits",
                                      BROWNOUT_CAPTURE_BYTES));
  for (std::size_t i = 0; i < text.size(); i += 2)
    into.push_back(static_cast<char>(kDigits.find(text[i]) << 4 | kDigits.find(text[i + 1])));
}

void decode_faults(const Json& record, std::vector<std::uint32_t>& into, Problem& problem) {
  const auto* found = member(record, "faults", problem);
  if (found == nullptr) return;
  if (!found->is_array() || found->size() > BROWNOUT_MAX_FAULTS)
    return problem.report(fmt::format("'faults' must be a list of at most {}", BROWNOUT_MAX_FAULTS));
  for (const auto& index : *found) {
    decode(index, into.emplace_back(), "faults", problem);
    if (into.back() >= BROWNOUT_MAX_FAULTS) return problem.report("'faults' names one that cannot be");
  }
}

void decode_word(const Json& record, const char* key, Names words, std::uint32_t& into, Problem& problem) {
  decode_name(record, key, words, into, problem);
  if (into >= words.size()) {
    into = 0;
    problem.report(fmt::format("'{}' has an unknown name", key));
  }
}

}  // namespace

PacketRecord packet_record(const brownout_capture_record& captured) {
  PacketRecord packet{.t_mono_ns = static_cast<std::int64_t>(captured.t_mono_ns),
                      .direction = captured.direction,
                      .verdict = captured.verdict,
                      .drawn_ns = captured.drawn_ns,
                      .delay_ns = captured.delay_ns,
                      .length = captured.length,
                      .segments = captured.segments};
  for (std::uint32_t i = 0; i < BROWNOUT_MAX_FAULTS; ++i)
    if ((captured.faults >> i & 1U) != 0) packet.faults.push_back(i);
  if (captured.number != BROWNOUT_CAPTURE_NO_NUMBER) packet.number = captured.number;
  const auto bytes = std::min<std::size_t>(captured.captured, BROWNOUT_CAPTURE_BYTES);
  packet.headers.assign(reinterpret_cast<const char*>(captured.bytes), bytes);
  if (captured.tcp_at != 0 && captured.tcp_at + kTcpFixed < bytes)
    blank_options(std::span{packet.headers}.subspan(captured.tcp_at + kTcpFixed));
  return packet;
}

std::string_view capture_verdict_name(std::uint32_t verdict) { return name_of(kCaptureVerdicts, verdict); }

OrderedJson encode(const PacketRecord& packet) {
  OrderedJson record;
  record["t_mono_ns"] = packet.t_mono_ns;
  record["direction"] = encode_name(kDirections, packet.direction);
  record["verdict"] = encode_name(kCaptureVerdicts, packet.verdict);
  record["faults"] = packet.faults;
  record["number"] = packet.number ? OrderedJson(*packet.number) : OrderedJson(nullptr);
  record["drawn_ns"] = packet.drawn_ns;
  record["delay_ns"] = packet.delay_ns;
  record["length"] = packet.length;
  record["segments"] = packet.segments;
  record["headers"] = hex(packet.headers);
  return record;
}

void decode(const Json& record, PacketRecord& into, Problem& problem) {
  read(record, "t_mono_ns", into.t_mono_ns, problem);
  decode_word(record, "direction", kDirections, into.direction, problem);
  decode_word(record, "verdict", kCaptureVerdicts, into.verdict, problem);
  decode_faults(record, into.faults, problem);
  if (const auto* number = member(record, "number", problem); number != nullptr && !number->is_null())
    decode(*number, into.number.emplace(), "number", problem);
  read(record, "drawn_ns", into.drawn_ns, problem);
  read(record, "delay_ns", into.delay_ns, problem);
  read(record, "length", into.length, problem);
  read(record, "segments", into.segments, problem);
  decode_headers(record, into.headers, problem);
}

}  // namespace brownout::events
