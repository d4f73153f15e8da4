// SPDX-License-Identifier: MIT
// kernel/events.jsonl, written: straight into the text, as there are millions of these lines and each is written once
// more when it is read. The words are JSON's own: what a text may need escaped is only in `comm`.
#include "event_line.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

#include <netinet/in.h>

#include "names.hpp"

namespace brownout::events {
namespace {

using Text = fmt::memory_buffer;

void append(Text& into, std::string_view text) { into.append(text.data(), text.data() + text.size()); }

// `lead`: everything up to the number, `,"pid":`.
void number(Text& into, std::string_view lead, std::uint64_t value) {
  append(into, lead);
  const fmt::format_int digits{value};
  into.append(digits.data(), digits.data() + digits.size());
}

void quoted(Text& into, std::string_view lead, std::string_view text) {
  append(into, lead);
  into.push_back('"');
  append(into, text);
  into.push_back('"');
}

void name(Text& into, std::string_view lead, Names names, std::uint32_t value) {
  const auto known = name_of(names, value);
  known.empty() ? number(into, lead, value) : quoted(into, lead, known);
}

void flags(Text& into, std::uint32_t set) {
  append(into, R"(,"flags":[)");
  std::string_view comma;
  for (std::uint32_t bit = 0; bit < 32; ++bit) {
    if (const std::uint32_t flag = std::uint32_t{1} << bit; (set & flag) != 0) {
      const auto known = name_of(kEventFlags, bit);
      known.empty() ? number(into, comma, flag) : quoted(into, comma, known);
      comma = ",";
    }
  }
  into.push_back(']');
}

void transport(Text& into, std::uint8_t protocol) {
  if (protocol == IPPROTO_TCP) return append(into, R"(,"transport":"tcp")");
  if (protocol == IPPROTO_UDP) return append(into, R"(,"transport":"udp")");
  number(into, R"(,"transport":)", protocol);
}

// A process names itself as it likes: what is not plain text is kept as hexadecimal digits.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

void comm(Text& into, const char (&bytes)[BROWNOUT_COMM_LENGTH]) {
  const std::string_view text{bytes, ::strnlen(bytes, sizeof bytes)};
  append(into, is_plain(text) ? R"(,"comm":")" : R"(,"comm_hex":")");
  for (const char c : text) {
    if (!is_plain(text)) {
      fmt::format_to(std::back_inserter(into), "{:02x}", static_cast<unsigned char>(c));
      continue;
    }
    if (c == '"' || c == '\\') into.push_back('\\');
    into.push_back(c);
  }
  into.push_back('"');
}

void directions(Text& into, std::string_view lead, const __u64 (&values)[BROWNOUT_DIRECTIONS]) {
  append(into, lead);
  number(into, R"({"egress":)", values[BROWNOUT_EGRESS]);
  number(into, R"(,"ingress":)", values[BROWNOUT_INGRESS]);
  into.push_back('}');
}

void error(Text& into, std::uint32_t value) {
  number(into, R"(,"errno":)", value);
  const char* known = value == 0 || value > INT32_MAX ? nullptr : ::strerrorname_np(static_cast<int>(value));
  known == nullptr ? append(into, R"(,"error":null)") : quoted(into, R"(,"error":)", known);
}

}  // namespace

void append_line(Text& into, const brownout_event& event) {
  number(into, R"({"sequence":)", event.sequence);
  number(into, R"(,"t_mono_ns":)", event.t_mono_ns);
  name(into, R"(,"kind":)", kEventKinds, event.kind);
  append(into, (event.flags & BROWNOUT_EVENT_INFERRED) != 0 ? R"(,"certainty":"inferred")"
                                                            : R"(,"certainty":"certain")");
  name(into, R"(,"phase":)", kPhases, event.phase);
  transport(into, event.flow.protocol);
  quoted(into, R"(,"local":)", endpoint(event.flow.local_address, event.flow.local_port));
  quoted(into, R"(,"peer":)", endpoint(event.flow.peer_address, event.flow.peer_port));
  flags(into, event.flags);
  number(into, R"(,"pid":)", event.pid);
  comm(into, event.comm);
  number(into, R"(,"cookie":)", event.cookie);
  number(into, R"(,"cgroup_id":)", event.cgroup_id);
  number(into, R"(,"call_start_ns":)", event.call_start_ns);
  number(into, R"(,"duration_ns":)", event.duration_ns);
  directions(into, R"(,"dropped":)", event.dropped);
  directions(into, R"(,"held":)", event.held);
  number(into, R"(,"calls":)", event.calls);
  error(into, event.error);
  number(into, R"(,"retransmits":)", event.retransmits);
  number(into, R"(,"rtos":)", event.rtos);
  number(into, R"(,"srtt_us":)", event.srtt_us);
  number(into, R"(,"rto_us":)", event.rto_us);
  if (is_dns(event.kind) || event.rcode != 0) name(into, R"(,"rcode":)", kRcodes, event.rcode);
  name(into, R"(,"old_state":)", kTcpStates, event.old_state);
  name(into, R"(,"new_state":)", kTcpStates, event.new_state);
  append(into, "}\n");
}

}  // namespace brownout::events
