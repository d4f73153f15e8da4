// SPDX-License-Identifier: MIT
// Which app error belongs to which kernel failure: one to one, as many as can be, with the least difference in time.
#include <algorithm>
#include <array>
#include <string_view>

#include <arpa/inet.h>

#include "assignment.hpp"
#include "name_book.hpp"
#include "parts.hpp"
#include "samples.hpp"
#include "url.hpp"

namespace brownout::findings {
namespace {

constexpr std::int64_t kQuarterHourNs = 900 * kNsPerSecond;
constexpr std::uint16_t kDnsPort = 53;
constexpr int kQuarterHours = 4 * 14; // as far as time zones go

bool like(const AppErrorFinding& error, const brownout_event& event) {
  const bool explicit_no =
      event.kind == BROWNOUT_EVENT_CONNECT_REFUSED || event.kind == BROWNOUT_EVENT_RESET_RECEIVED ||
      event.kind == BROWNOUT_EVENT_CONNECT_UNREACHABLE || event.kind == BROWNOUT_EVENT_PEER_CLOSED_UNANSWERED;
  switch (kind_of(error.error)) {
    case ErrorKind::kLookup: return event.flow.peer_port == kDnsPort; // DNS over TCP; other queries are no calls
    case ErrorKind::kTimeout: return !explicit_no;
    case ErrorKind::kRefusal: return explicit_no || event.kind == BROWNOUT_EVENT_SOCKET_ERROR;
    default: return true;
  }
}

// IPv4 by itself: "::ffff:db" would be an address.
bool parse_address(const std::string& host, std::array<std::uint8_t, 16>& into) {
  into = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return ::inet_pton(AF_INET, host.c_str(), &into[12]) == 1 || ::inet_pton(AF_INET6, host.c_str(), into.data()) == 1;
}

// False when the url names another address or port, or a name that is none of the flow's although those are known.
bool same_peer(const AppErrorFinding& error, const Failure& failure, const brownout_flow_key& flow) {
  const auto authority = authority_of(error.error.url);
  if (authority.port == 0) return true;
  if (authority.port != flow.peer_port) return false;
  std::array<std::uint8_t, 16> address{};
  if (!parse_address(authority.host, address)) return may_be_called(failure.names, authority.host);
  return std::equal(address.begin(), address.end(), flow.peer_address);
}

// Left: the failure, right: the error.
std::vector<Candidate> candidates(const Findings& findings, std::int64_t slack_ns) {
  std::vector<Candidate> pairs;
  for (std::size_t e = 0; e < findings.app_errors.size(); ++e) {
    const auto& error = findings.app_errors[e];
    if (kind_of(error.error) == ErrorKind::kOther) continue;
    auto from = std::ranges::lower_bound(findings.failures, error.earliest_ns - slack_ns, {}, &Failure::t_mono_ns);
    for (; from != findings.failures.end() && from->t_mono_ns <= error.latest_ns + slack_ns; ++from) {
      const auto& event = from->event;
      if (!like(error, event) || !same_peer(error, *from, event.flow)) continue;
      pairs.push_back({distance_ns(error, from->t_mono_ns), static_cast<std::size_t>(from - findings.failures.begin()), e});
    }
  }
  return pairs;
}

std::size_t pair_up(std::vector<Candidate> pairs, Findings& findings) {
  const auto assignment = assign(std::move(pairs));
  for (const auto& [distance, failure, error] : assignment.pairs) {
    findings.failures[failure].app_error = error;
    findings.app_errors[error].failure = failure;
  }
  findings.components_not_exact = assignment.components_beyond;
  return assignment.pairs.size();
}

// Stamped errors of a network kind that appeared while we looked, moved by `shift_ns`: how many find a failure?
std::size_t matched_when_shifted(const events::Evidence& evidence, const Findings& findings,
                                 const std::vector<AppErrorFinding>& stamped, std::int64_t shift_ns) {
  Findings trial;
  trial.failures = findings.failures;
  trial.app_errors = stamped;
  for (auto& failure : trial.failures) failure.app_error.reset();
  for (auto& error : trial.app_errors) {
    error.earliest_ns += shift_ns;
    error.latest_ns += shift_ns;
  }
  return pair_up(candidates(trial, matching_slack_ns(evidence)), trial);
}

std::vector<AppErrorFinding> stamped_errors(const Findings& findings) {
  std::vector<AppErrorFinding> stamped;
  for (const auto& error : findings.app_errors)
    if (error.error.utc_ns && error.network_kind && error.seen_after_ns > 0) {
      stamped.push_back(error);
      stamped.back().failure.reset();
    }
  return stamped;
}

// Local time written as if it were UTC. Reported, and the stamps are then not used at all: never shifted silently.
void suspect_offset(const events::Evidence& evidence, Findings& findings) {
  const auto stamped = stamped_errors(findings);
  const auto n = static_cast<double>(std::min(stamped.size(), findings.failures.size()));
  if (n < 3 || static_cast<double>(matched_when_shifted(evidence, findings, stamped, 0)) >= 0.2 * n) return;
  for (int quarter = 1; quarter <= kQuarterHours; ++quarter) {
    for (const std::int64_t shift : {quarter * kQuarterHourNs, -quarter * kQuarterHourNs}) {
      if (static_cast<double>(matched_when_shifted(evidence, findings, stamped, shift)) < 0.8 * n) continue;
      findings.timestamp_offset_suspected_ns = -shift; // the stamps are that much ahead of UTC
      return;
    }
  }
}

}  // namespace

std::int64_t distance_ns(const AppErrorFinding& error, std::int64_t t_ns) {
  if (t_ns < error.earliest_ns) return error.earliest_ns - t_ns;
  return t_ns > error.latest_ns ? t_ns - error.latest_ns : 0;
}

std::int64_t matching_slack_ns(const events::Evidence& evidence) {
  std::int64_t uncertainty = 0;
  for (const auto& clock : evidence.clocks) uncertainty = std::max(uncertainty, clock.uncertainty_ns);
  return kMatchSlackNs + uncertainty;
}

void match_app_errors(const events::Evidence& evidence, Findings& findings) {
  suspect_offset(evidence, findings);
  if (findings.timestamp_offset_suspected_ns)
    for (auto& error : findings.app_errors) {
      error.earliest_ns = error.seen_after_ns;
      error.latest_ns = error.seen_ns;
    }
  pair_up(candidates(findings, matching_slack_ns(evidence)), findings);
}

}  // namespace brownout::findings
