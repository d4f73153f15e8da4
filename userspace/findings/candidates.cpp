// SPDX-License-Identifier: MIT
#include "candidates.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <arpa/inet.h>

#include "name_book.hpp"
#include "parts.hpp"
#include "url.hpp"

namespace brownout::findings {

std::int64_t distance_ns(const AppErrorFinding& error, std::int64_t t_ns) {
  if (t_ns < error.earliest_ns) return error.earliest_ns - t_ns;
  return t_ns > error.latest_ns ? t_ns - error.latest_ns : 0;
}

std::int64_t clock_uncertainty_ns(const events::Evidence& evidence) {
  std::int64_t uncertainty = 0;
  for (const auto& clock : evidence.clocks) uncertainty = std::max(uncertainty, clock.uncertainty_ns);
  return uncertainty;
}

namespace {

constexpr std::uint16_t kDnsPort = 53;

bool like(ErrorKind kind, const brownout_event& event) {
  const bool explicit_no =
      event.kind == BROWNOUT_EVENT_CONNECT_REFUSED || event.kind == BROWNOUT_EVENT_RESET_RECEIVED ||
      event.kind == BROWNOUT_EVENT_CONNECT_UNREACHABLE || event.kind == BROWNOUT_EVENT_PEER_CLOSED_UNANSWERED;
  switch (kind) {
    case ErrorKind::kOther: return false;
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

// What the url says of the peer: a port, and an address or a name.
struct Peer {
  std::uint16_t port = 0;  // 0: any
  std::optional<std::array<std::uint8_t, 16>> address;
  std::string name;

  // Not where the flow has another address or port, or names that are all known to be others.
  bool is_of(const Failure& failure) const {
    const auto& flow = failure.event.flow;
    if (port == 0) return true;
    if (port != flow.peer_port) return false;
    return address ? std::ranges::equal(*address, flow.peer_address) : may_be_called(failure.names, name);
  }
};

Peer peer_of(const std::string& url) {
  const auto authority = authority_of(url);
  Peer peer{.port = authority.port, .address = {}, .name = authority.host};
  std::array<std::uint8_t, 16> address{};
  if (parse_address(authority.host, address)) peer.address = address;
  return peer;
}

// Of errors that a version brought without stamps, which part of its time each is sought in first: they are spread evenly.
std::vector<double> shares(const std::vector<AppErrorFinding>& errors) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::size_t> all, passed;
  for (const auto& error : errors) ++all[{error.earliest_ns, error.latest_ns}];
  std::vector<double> of_each;
  for (const auto& error : errors) {
    const std::pair span{error.earliest_ns, error.latest_ns};
    of_each.push_back((static_cast<double>(passed[span]++) + 0.5) / static_cast<double>(all[span]));
  }
  return of_each;
}

class Collector {
 public:
  Collector(const events::Evidence& evidence, const Findings& findings, const RecordDelay& delay)
      : findings_(findings), delay_(delay), uncertainty_(clock_uncertainty_ns(evidence)) {}

  // The nearest to each error, up to `each`; nothing when there are more than `most` in all.
  std::optional<std::vector<Candidate>> collect(std::size_t each, std::size_t most) {
    pairs_.clear();
    const auto share_of = shares(findings_.app_errors);
    for (std::size_t error = 0; error < findings_.app_errors.size(); ++error) {
      add(error, share_of[error], each);
      if (pairs_.size() > most) return std::nullopt;
    }
    return std::move(pairs_);
  }

 private:
  void add(std::size_t number, double share, std::size_t each) {
    const auto& error = findings_.app_errors[number];
    const auto kind = kind_of(error.error);
    if (kind == ErrorKind::kOther) return;
    const auto peer = peer_of(error.error.url);
    const auto late = is_stamped(error) ? delay_.delay_ns : 0;
    const auto slack = (is_stamped(error) ? delay_.slack_ns : kMatchReachNs) + uncertainty_;
    const auto& failures = findings_.failures;
    const auto place = [&](std::int64_t t_ns) {
      return static_cast<std::size_t>(std::ranges::lower_bound(failures, t_ns, {}, &Failure::t_mono_ns) - failures.begin());
    };
    const auto first = place(error.earliest_ns - late - slack), end = place(error.latest_ns - late + slack + 1);
    auto right = is_stamped(error) ? place(error.earliest_ns - late)
                                   : first + static_cast<std::size_t>(share * static_cast<double>(end - first));
    auto left = right;
    const auto centre = is_stamped(error) || right == failures.size() ? error.earliest_ns - late
                                                                      : failures[right].t_mono_ns;
    const auto enough = pairs_.size() + each;
    while (pairs_.size() < enough && (left > first || right < end)) {
      const bool go_left =
          right == end ||
          (left > first && centre - failures[left - 1].t_mono_ns <= failures[right].t_mono_ns - centre);
      const auto failure = go_left ? --left : right++;
      if (like(kind, failures[failure].event) && peer.is_of(failures[failure]))
        pairs_.push_back({distance_ns(error, failures[failure].t_mono_ns + late), failure, number});
    }
  }

  const Findings& findings_;
  RecordDelay delay_;
  std::int64_t uncertainty_;
  std::vector<Candidate> pairs_;
};

}  // namespace

std::vector<Candidate> candidates(const events::Evidence& evidence, const Findings& findings, const RecordDelay& delay) {
  constexpr auto kAll = std::numeric_limits<std::size_t>::max();
  Collector collector{evidence, findings, delay};
  if (auto all = collector.collect(kAll / 2, kMostCandidates)) return std::move(*all);
  return *collector.collect(std::max<std::size_t>(16, kMostCandidates / findings.app_errors.size()), kAll);
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
