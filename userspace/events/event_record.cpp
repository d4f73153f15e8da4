// SPDX-License-Identifier: MIT
// kernel/events.jsonl, read. Every field of brownout_event is there, by a readable name, and comes back exactly; how
// it is written is in event_line.cpp.
#include <algorithm>

#include <netinet/in.h>

#include "names.hpp"
#include "records.hpp"

namespace brownout::events {
namespace {

void decode_protocol(const Json& record, std::uint8_t& into, Problem& problem) {
  const auto* found = member(record, "transport", problem);
  if (found == nullptr) return;
  if (*found == "tcp") {
    into = IPPROTO_TCP;
  } else if (*found == "udp") {
    into = IPPROTO_UDP;
  } else {
    decode(*found, into, "transport", problem);
  }
}

bool parse_hexadecimal(std::string_view text, std::string& into) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const auto high = kDigits.find(text[i]), low = kDigits.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    into += static_cast<char>(high * 16 + low);
  }
  return text.size() % 2 == 0;
}

void decode_comm(const Json& record, brownout_event& event, Problem& problem) {
  std::string comm, hex;
  if (record.contains("comm_hex")) {
    read(record, "comm_hex", hex, problem);
    if (!parse_hexadecimal(hex, comm)) problem.report("'comm_hex' must be hexadecimal digits");
  } else {
    read(record, "comm", comm, problem);
  }
  if (comm.size() > sizeof event.comm) return problem.report("'comm' is too long");
  std::ranges::copy(comm, event.comm);
}

void decode_directions(const Json& record, const char* key, __u64 (&into)[BROWNOUT_DIRECTIONS], Problem& problem) {
  const auto* found = member(record, key, problem);
  if (found == nullptr) return;
  read(*found, "egress", into[BROWNOUT_EGRESS], problem);
  read(*found, "ingress", into[BROWNOUT_INGRESS], problem);
}

void decode_endpoint(const Json& record, const char* key, __u8 (&address)[16], __u16& port, Problem& problem) {
  std::string text;
  read(record, key, text, problem);
  if (!parse_endpoint(text, address, port)) problem.report(fmt::format("'{}' must be address:port", key));
}

}  // namespace

void decode(const Json& record, brownout_event& event, Problem& problem) {
  std::uint32_t old_state = 0, new_state = 0, rcode = 0;
  read(record, "sequence", event.sequence, problem);
  read(record, "t_mono_ns", event.t_mono_ns, problem);
  decode_name(record, "kind", kEventKinds, event.kind, problem);
  decode_name(record, "phase", kPhases, event.phase, problem);
  decode_protocol(record, event.flow.protocol, problem);
  decode_endpoint(record, "local", event.flow.local_address, event.flow.local_port, problem);
  decode_endpoint(record, "peer", event.flow.peer_address, event.flow.peer_port, problem);
  decode_flags(record, "flags", kEventFlags, event.flags, problem);
  read(record, "pid", event.pid, problem);
  decode_comm(record, event, problem);
  read(record, "cookie", event.cookie, problem);
  read(record, "cgroup_id", event.cgroup_id, problem);
  read(record, "call_start_ns", event.call_start_ns, problem);
  read(record, "duration_ns", event.duration_ns, problem);
  decode_directions(record, "dropped", event.dropped, problem);
  decode_directions(record, "held", event.held, problem);
  read(record, "calls", event.calls, problem);
  read(record, "errno", event.error, problem);
  read(record, "retransmits", event.retransmits, problem);
  read(record, "rtos", event.rtos, problem);
  read(record, "srtt_us", event.srtt_us, problem);
  read(record, "rto_us", event.rto_us, problem);
  if (record.contains("rcode")) decode_name(record, "rcode", kRcodes, rcode, problem);
  event.rcode = static_cast<__u16>(rcode);
  decode_name(record, "old_state", kTcpStates, old_state, problem);
  decode_name(record, "new_state", kTcpStates, new_state, problem);
  event.old_state = static_cast<__u8>(old_state);
  event.new_state = static_cast<__u8>(new_state);
}

}  // namespace brownout::events
