// SPDX-License-Identifier: MIT
#include "candidates.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include <arpa/inet.h>

#include "parts.hpp"

namespace brownout::findings {
namespace {

bool like(ErrorKind kind, const brownout_event& event) {
  const bool explicit_no =
      event.kind == BROWNOUT_EVENT_CONNECT_REFUSED || event.kind == BROWNOUT_EVENT_RESET_RECEIVED ||
      event.kind == BROWNOUT_EVENT_CONNECT_UNREACHABLE || event.kind == BROWNOUT_EVENT_PEER_CLOSED_UNANSWERED;
  switch (kind) {
    case ErrorKind::kOther: return false;
    case ErrorKind::kTimeout: return !explicit_no;
    case ErrorKind::kRefusal: return explicit_no || event.kind == BROWNOUT_EVENT_SOCKET_ERROR;
    default: return true;
  }
}

struct Authority { std::string host; std::uint16_t port = 0; };

Authority authority_of(std::string_view url) {
  Authority result;
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return result;
  result.port = url.starts_with("https") || url.starts_with("wss") ? 443 : 80;
  auto rest = url.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (const auto user = rest.rfind('@'); user != std::string_view::npos) rest.remove_prefix(user + 1);
  const auto bracket = rest.find(']');
  const auto colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos)
    std::from_chars(rest.data() + colon + 1, rest.data() + rest.size(), result.port);
  rest = rest.substr(0, colon);
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  result.host = rest;
  return result;
}

// What the url says of the peer. A name says nothing of the address: who knows what it resolved to.
struct Peer {
  std::uint16_t port = 0;  // 0: any
  std::optional<std::array<std::uint8_t, 16>> address;

  bool is_of(const brownout_flow_key& flow) const {
    if (port == 0) return true;
    return port == flow.peer_port && (!address || std::ranges::equal(*address, flow.peer_address));
  }
};

Peer peer_of(const std::string& url) {
  const auto authority = authority_of(url);
  Peer peer{.port = authority.port, .address = {}};
  std::array<std::uint8_t, 16> address{};
  const std::string mapped = "::ffff:" + authority.host;
  if (::inet_pton(AF_INET6, authority.host.c_str(), address.data()) == 1 ||
      ::inet_pton(AF_INET6, mapped.c_str(), address.data()) == 1)
    peer.address = address;
  return peer;
}

std::int64_t distance_ns(const AppErrorFinding& error, std::int64_t t_ns) {
  if (t_ns < error.earliest_ns) return error.earliest_ns - t_ns;
  return t_ns > error.latest_ns ? t_ns - error.latest_ns : 0;
}

std::int64_t clock_uncertainty_ns(const events::Evidence& evidence) {
  std::int64_t uncertainty = 0;
  for (const auto& clock : evidence.clocks) uncertainty = std::max(uncertainty, clock.uncertainty_ns);
  return uncertainty;
}

}  // namespace

std::vector<Candidate> candidates(const events::Evidence& evidence, const Findings& findings, const RecordDelay& delay) {
  const auto uncertainty = clock_uncertainty_ns(evidence);
  std::vector<Candidate> pairs;
  for (std::size_t e = 0; e < findings.app_errors.size(); ++e) {
    const auto& error = findings.app_errors[e];
    const auto kind = kind_of(error.error);
    if (kind == ErrorKind::kOther) continue;
    const auto peer = peer_of(error.error.url);
    const auto late = is_stamped(error) ? delay.delay_ns : 0;
    const auto slack = (is_stamped(error) ? delay.slack_ns : kMatchReachNs) + uncertainty;
    auto from = std::ranges::lower_bound(findings.failures, error.earliest_ns - late - slack, {}, &Failure::t_mono_ns);
    for (; from != findings.failures.end() && from->t_mono_ns <= error.latest_ns - late + slack; ++from) {
      const auto& event = evidence.kernel_events[from->event].raw;
      if (!like(kind, event) || !peer.is_of(event.flow)) continue;
      pairs.push_back({distance_ns(error, from->t_mono_ns + late),
                       static_cast<std::size_t>(from - findings.failures.begin()), e});
    }
  }
  return pairs;
}

Findings moved(const Findings& findings, std::int64_t shift_ns) {
  Findings copy;
  copy.failures = findings.failures;
  copy.app_errors = findings.app_errors;
  for (auto& failure : copy.failures) failure.app_error.reset();
  for (auto& error : copy.app_errors) {
    error.failure.reset();
    error.earliest_ns += shift_ns;
    error.latest_ns += shift_ns;
  }
  return copy;
}

}  // namespace brownout::findings
