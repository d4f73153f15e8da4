// SPDX-License-Identifier: MIT
#include "names.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include <netinet/tcp.h>

namespace brownout::events {
namespace {

using std::string_view;

constexpr std::array<string_view, BROWNOUT_EVENT_KINDS> kEventKindTable{
    "", "connected", "closed", "call", "retransmit_rto", "retransmit_fast", "retransmit_probe", "rto", "reset_sent",
    "wait_expired", "dns_slow", "in_flight", "connect_timeout", "connect_abandoned", "connect_refused", "connect_unreachable",
    "read_timeout", "closed_unanswered", "peer_closed_unanswered", "kernel_gave_up", "zero_window_abort",
    "keepalive_abort", "reset_received", "socket_error", "dns_unanswered", "dns_failed"};
constexpr std::array<string_view, 10> kEventFlagTable{
    "hit", "app", "preexisting", "owner_known", "tls", "call_failed", "inferred", "no_rto", "expired",
    "unacknowledged"};
constexpr std::array<string_view, BROWNOUT_PHASES> kPhaseTable{"waiting", "baseline", "inject", "recovery", "settle"};
constexpr std::array<string_view, 13> kTcpStateTable{
    "none", "established", "syn_sent", "syn_received", "fin_wait_1", "fin_wait_2", "time_wait", "closed", "close_wait",
    "last_ack", "listen", "closing", "new_syn_received"};
constexpr std::array<string_view, 9> kEndingTable{
    "completed", "no_pressure", "no_run_directory", "stop_file", "signal",
    "error",     "target_gone", "cap_reached",      "aborted"};
// IANA's names of the codes that a header can hold; 11 to 15 are not assigned.
constexpr std::array<string_view, 11> kRcodeTable{"noerror",  "formerr",  "servfail", "nxdomain", "notimp", "refused",
                                                  "yxdomain", "yxrrset", "nxrrset",  "notauth",  "notzone"};
constexpr std::array<string_view, 4> kNameSourceTable{"dns", "dns_question", "sni", "http_host"};
constexpr std::array<string_view, BROWNOUT_DIRECTIONS> kDirectionTable{"egress", "ingress"};
constexpr std::array<string_view, BROWNOUT_CAPTURE_VERDICTS> kCaptureVerdictTable{"dropped", "delayed"};
constexpr std::array<string_view, 3> kSnapshotStatusTable{"read", "absent", "unparsable"};

static_assert(kEventKindTable[BROWNOUT_EVENT_CLOSED_UNANSWERED] == "closed_unanswered");
static_assert(kEventKindTable[BROWNOUT_EVENT_FIRST_FAILURE] == "connect_timeout");
static_assert(kEventKindTable[BROWNOUT_EVENT_SOCKET_ERROR] == "socket_error");
static_assert(kEventKindTable[BROWNOUT_EVENT_DNS_FAILED] == "dns_failed");
// The system's own numbers: two of these names were once swapped.
static_assert(kTcpStateTable[TCP_ESTABLISHED] == "established" && kTcpStateTable[TCP_SYN_SENT] == "syn_sent");
static_assert(kTcpStateTable[TCP_SYN_RECV] == "syn_received" && kTcpStateTable[TCP_FIN_WAIT1] == "fin_wait_1");
static_assert(kTcpStateTable[TCP_FIN_WAIT2] == "fin_wait_2" && kTcpStateTable[TCP_TIME_WAIT] == "time_wait");
static_assert(kTcpStateTable[TCP_CLOSE] == "closed" && kTcpStateTable[TCP_CLOSE_WAIT] == "close_wait");
static_assert(kTcpStateTable[TCP_LAST_ACK] == "last_ack" && kTcpStateTable[TCP_LISTEN] == "listen");
static_assert(kTcpStateTable[TCP_CLOSING] == "closing");
static_assert((1 << (kEventFlagTable.size() - 1)) == BROWNOUT_EVENT_UNACKNOWLEDGED);

std::optional<std::uint32_t> number_of(Names names, string_view name) {
  const auto found = std::ranges::find(names, name);
  if (name.empty() || found == names.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - names.begin());
}

}  // namespace

constinit const Names kEventKinds{kEventKindTable};
constinit const Names kEventFlags{kEventFlagTable};
constinit const Names kPhases{kPhaseTable};
constinit const Names kTcpStates{kTcpStateTable};
constinit const Names kEndings{kEndingTable};
constinit const Names kRcodes{kRcodeTable};
constinit const Names kNameSources{kNameSourceTable};
constinit const Names kSnapshotStatuses{kSnapshotStatusTable};
constinit const Names kDirections{kDirectionTable};
constinit const Names kCaptureVerdicts{kCaptureVerdictTable};

string_view name_of(Names names, std::uint32_t number) { return number < names.size() ? names[number] : string_view{}; }

OrderedJson encode_name(Names names, std::uint32_t number) {
  const auto name = name_of(names, number);
  return name.empty() ? OrderedJson(number) : OrderedJson(name);
}

void decode_name(const Json& object, const char* key, Names names, std::uint32_t& into, Problem& problem) {
  const auto* found = member(object, key, problem);
  if (found == nullptr) return;
  if (!found->is_string()) return decode(*found, into, key, problem);
  if (const auto number = number_of(names, found->get_ref<const std::string&>())) {
    into = *number;
  } else {
    problem.report(fmt::format("'{}' has an unknown name", key));
  }
}

void decode_flags(const Json& object, const char* key, Names names, std::uint32_t& into, Problem& problem) {
  const auto* found = member(object, key, problem);
  if (found == nullptr) return;
  if (!found->is_array()) return problem.report(fmt::format("'{}' must be a list", key));
  into = 0;
  for (const auto& flag : *found) {
    if (flag.is_string()) {
      const auto bit = number_of(names, flag.get_ref<const std::string&>());
      if (!bit) return problem.report(fmt::format("'{}' has an unknown name", key));
      into |= std::uint32_t{1} << *bit;
    } else {
      std::uint32_t value = 0;
      decode(flag, value, key, problem);
      into |= value;
    }
  }
}

std::string_view event_kind_name(std::uint32_t kind) {
  const auto name = name_of(kEventKinds, kind);
  return name.empty() ? "unknown" : name;
}

std::string_view name_source_name(NameSource source) {
  return name_of(kNameSources, static_cast<std::uint32_t>(source));
}

std::string_view phase_name(std::uint32_t phase) {
  const auto name = name_of(kPhases, phase);
  return name.empty() ? "unknown" : name;
}

std::string_view ending_name(Ending ending) { return name_of(kEndings, static_cast<std::uint32_t>(ending)); }

bool is_dns(std::uint32_t kind) {
  return kind == BROWNOUT_EVENT_DNS_SLOW || kind == BROWNOUT_EVENT_DNS_UNANSWERED || kind == BROWNOUT_EVENT_DNS_FAILED;
}

bool is_failure(std::uint32_t kind) {
  return kind >= BROWNOUT_EVENT_FIRST_FAILURE && kind < BROWNOUT_EVENT_KINDS;
}

}  // namespace brownout::events
