// SPDX-License-Identifier: MIT
// pcapng (draft-ietf-opsawg-pcapng), the blocks that are needed. libpcap writes classic pcap alone, which has no place
// for comments, directions and drop counts; the one library that writes pcapng is Wireshark's own, of GPL and megabytes.
// Always little-endian: the same evidence gives the same bytes.
#include <algorithm>
#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "brownout/json_fields.hpp"
#include "brownout/text.hpp"
#include "export_formats.hpp"

namespace brownout::bundle {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a, kInterface = 1, kStatistics = 5, kPacket = 6;
constexpr std::uint16_t kEthernet = 1; // LINKTYPE_ETHERNET
constexpr std::size_t kLongestText = 1000;

template <typename T>
void put(std::string& into, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    into.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff));
}

void pad(std::string& into) { into.resize((into.size() + 3) / 4 * 4, '\0'); }

// High word first, whatever the byte order: as the format has it.
void put_time(std::string& into, std::uint64_t ns) {
  put(into, static_cast<std::uint32_t>(ns >> 32));
  put(into, static_cast<std::uint32_t>(ns));
}

class Options {
 public:
  void text(std::uint16_t code, const std::string& value) {
    auto shown = visible(value);
    std::size_t end = std::min(shown.size(), kLongestText);
    while (end < shown.size() && (shown[end] & 0xc0) == 0x80) --end;  // not in the middle of a character
    shown.resize(end);
    if (!shown.empty()) bytes(code, shown);
  }
  void number(std::uint16_t code, std::integral auto value) {
    std::string encoded;
    put(encoded, value);
    bytes(code, encoded);
  }
  void time(std::uint16_t code, std::int64_t ns) {
    std::string encoded;
    put_time(encoded, static_cast<std::uint64_t>(ns));
    bytes(code, encoded);
  }
  // None at all, or with opt_endofopt behind them.
  std::string take() {
    if (!encoded_.empty()) put(encoded_, std::uint32_t{0});
    return std::move(encoded_);
  }

 private:
  void bytes(std::uint16_t code, const std::string& value) {
    put(encoded_, code);
    put(encoded_, static_cast<std::uint16_t>(value.size()));
    encoded_ += value;
    pad(encoded_);
  }
  std::string encoded_;
};

void put_block(std::string& file, std::uint32_t type, std::string body) {
  pad(body);
  const auto length = static_cast<std::uint32_t>(body.size() + 12);
  put(file, type);
  put(file, length);
  file += body;
  put(file, length);
}

enum Opt : std::uint16_t {
  kComment = 1,
  kShbOs = 3, kShbUserAppl = 4,
  kIfName = 2, kIfDescription = 3, kIfTsResol = 9,
  kEpbFlags = 2,
  kIsbStart = 2, kIsbEnd = 3, kIsbIfRecv = 4, kIsbFilterAccept = 6, kIsbOsDrop = 7, kIsbUsrDeliv = 8,
};

// As the container sees it, like the interface that bears its name.
std::uint32_t flags_of(std::uint32_t direction) {
  constexpr std::uint32_t kInbound = 1, kOutbound = 2;
  return direction == BROWNOUT_EGRESS ? kOutbound : kInbound;
}

// Evidence that was never sealed may not have been told.
std::string or_unknown(std::string text) { return text.empty() ? std::string{"unknown"} : text; }

void put_section(std::string& file, const ExportInputs& inputs) {
  const auto& verdict = inputs.judgement.verdict;
  const auto& plan = inputs.judgement.plan;
  std::string body;
  put(body, std::uint32_t{0x1a2b3c4d}); // byte order
  put(body, std::uint16_t{1});
  put(body, std::uint16_t{0});
  put(body, ~std::uint64_t{0}); // the section's length: to the end of the file
  Options options;
  const auto note = note_on(verdict);
  options.text(kComment, fmt::format("run {}, drill {}, verdict {}. Headers of packets that faults hit; nothing else is here.",
                                     or_unknown(text_at(inputs.manifest, "/run_id")), plan.drill.name,
                                     note.empty() ? std::string{verdict::name(verdict.outcome)} : note));
  options.text(kShbOs, text_at(inputs.manifest, "/host/kernel_release"));
  options.text(kShbUserAppl, "brownout " + or_unknown(text_at(inputs.manifest, "/tool/version")));
  put_block(file, kSectionHeader, body + options.take());
}

void put_interface(std::string& file, const ExportInputs& inputs, std::uint32_t direction) {
  const bool egress = direction == BROWNOUT_EGRESS;
  const auto name = text_at(inputs.manifest, "/interface/container_name");
  std::string body;
  put(body, kEthernet);
  put(body, std::uint16_t{0});
  put(body, std::uint32_t{BROWNOUT_CAPTURE_BYTES});
  Options options;
  options.text(kIfName, name.empty() ? std::string{"container"} : name);
  options.text(kIfDescription,
               fmt::format("{} the container {}, met at the host side of its veth, {}",
                           egress ? "egress: from" : "ingress: to",
                           or_unknown(text_at(inputs.manifest, "/target/name")),
                           or_unknown(text_at(inputs.manifest, "/interface/host_name"))));
  options.number(kIfTsResol, std::uint8_t{9});
  put_block(file, kInterface, body + options.take());
}

std::string fault_label(const plan::Plan& plan, std::uint32_t index) {
  return index < plan.faults.size() ? fmt::format("fault {} ({})", index + 1, plan.faults[index].label)
                                    : fmt::format("fault {}", index + 1);
}

std::string comment_on(const plan::Plan& plan, const events::PacketRecord& packet) {
  std::vector<std::string> faults;
  for (const auto index : packet.faults) faults.push_back(fault_label(plan, index));
  std::string text{events::capture_verdict_name(packet.verdict)};
  if (packet.verdict == BROWNOUT_CAPTURE_DELAYED)
    text += fmt::format(" {:g} ms", static_cast<double>(packet.delay_ns) / 1e6);
  text += fmt::format(" by {}", fmt::join(faults, ", "));
  if (packet.number) text += fmt::format("; number {} of its flow", *packet.number);
  if (packet.segments > 1) text += fmt::format("; {} segments as on the wire", packet.segments);
  return text;
}

void put_packet(std::string& file, const ExportInputs& inputs, const events::PacketRecord& packet) {
  const auto captured = static_cast<std::uint32_t>(packet.headers.size());
  std::string body;
  put(body, packet.direction); // the interface
  put_time(body, static_cast<std::uint64_t>(events::to_realtime_ns(inputs.judgement.evidence, packet.t_mono_ns)));
  put(body, captured);
  put(body, std::max(packet.length, captured));
  body += packet.headers;
  pad(body);
  Options options;
  options.text(kComment, comment_on(inputs.judgement.plan, packet));
  options.number(kEpbFlags, flags_of(packet.direction));
  put_block(file, kPacket, body + options.take());
}

void put_statistics(std::string& file, const ExportInputs& inputs, std::uint32_t direction) {
  const auto& evidence = inputs.judgement.evidence;
  const auto& counts = inputs.judgement.findings.capture->directions.at(direction);
  const auto span = span_of(evidence);
  const auto window = evidence.windows.find(BROWNOUT_PHASE_INJECT);
  const bool known = window != evidence.windows.end();
  const auto start = known ? events::to_realtime_ns(evidence, window->second.start_ns) : span.start_ns;
  const auto end = known ? events::to_realtime_ns(evidence, window->second.end_ns) : span.end_ns;
  std::string body;
  put(body, direction);
  put_time(body, static_cast<std::uint64_t>(end));
  Options options;
  options.text(kComment, fmt::format("faults hit {}: dropped {}, delayed {}; on record {}, lost {}, over the bound {}{}",
                                     counts.hit(), counts.dropped, counts.delayed, counts.recorded, counts.lost,
                                     counts.beyond, counts.whole() ? "" : "; that does not account for all of them"));
  options.time(kIsbStart, start);
  options.time(kIsbEnd, end);
  options.number(kIsbIfRecv, std::uint64_t{counts.seen.packets});
  options.number(kIsbFilterAccept, counts.hit());
  options.number(kIsbOsDrop, counts.lost);
  options.number(kIsbUsrDeliv, counts.recorded);
  put_block(file, kStatistics, body + options.take());
}

}  // namespace

std::string export_pcapng(const ExportInputs& inputs) {
  std::string file;
  put_section(file, inputs);
  for (const std::uint32_t direction : {BROWNOUT_EGRESS, BROWNOUT_INGRESS}) put_interface(file, inputs, direction);
  // Each CPU writes when it comes to it: not always in the order in which packets were met.
  auto packets = inputs.packets;
  std::ranges::stable_sort(packets, {}, &events::PacketRecord::t_mono_ns);
  for (const auto& packet : packets) put_packet(file, inputs, packet);
  for (const std::uint32_t direction : {BROWNOUT_EGRESS, BROWNOUT_INGRESS}) put_statistics(file, inputs, direction);
  return file;
}

}  // namespace brownout::bundle
