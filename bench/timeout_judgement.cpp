// SPDX-License-Identifier: MIT
#include "timeout_judgement.hpp"

#include <algorithm>

#include "brownout/events.hpp"
#include "support/trace_watch.hpp"

namespace brownout::bench {
namespace {

bool has(const brownout_event& event, std::uint32_t flag) { return (event.flags & flag) != 0; }

// Of no connection: nothing to be right about.
bool of_connection(const brownout_event& event) { return event.kind != BROWNOUT_EVENT_WAIT_EXPIRED; }

bool owner_is_right(const brownout_event& event, const Attempt& attempt) {
  return has(event, BROWNOUT_EVENT_OWNER_KNOWN) && event.pid == attempt.pid &&
         std::string(event.comm) == attempt.client->comm();
}

bool destination_is_right(const brownout_event& event, const Attempt& attempt) {
  return event.flow.peer_port == attempt.port && event.flow.protocol == IPPROTO_TCP &&
         test::address_text(event.flow.peer_address) == attempt.address;
}

// With its retransmit, if the situation has one.
bool answered(const Attempt& attempt) {
  const auto is = [&](std::uint32_t kind) {
    return std::ranges::any_of(attempt.events, [=](const auto& event) { return event.kind == kind; });
  };
  const bool late = attempt.situation->behaviour == Behaviour::kAnswerLate;
  return is(BROWNOUT_EVENT_CALL) && (!late || is(BROWNOUT_EVENT_RETRANSMIT_RTO));
}

void judge_failure(const brownout_event& failure, const Attempt& attempt, const Expected& expected, Judgement& into) {
  if (failure.kind != expected.kind) {
    into.wrong_kind = true;
    return;
  }
  into.kind = true;
  into.certainty &= has(failure, BROWNOUT_EVENT_INFERRED) != expected.certain;
  into.error &= failure.error == static_cast<std::uint32_t>(attempt.situation->error);
  if (attempt.situation->own_read_timeout)
    into.acknowledgement &= has(failure, BROWNOUT_EVENT_UNACKNOWLEDGED) == attempt.situation->unacknowledged;
}

}  // namespace

std::vector<brownout_event> failures(const Attempt& attempt) {
  std::vector<brownout_event> all;
  std::ranges::copy_if(attempt.events, std::back_inserter(all),
                       [](const auto& event) { return events::is_failure(event.kind); });
  return all;
}

Judgement judge(const Attempt& attempt, bool waits) {
  const Expected expected = bench::expected(*attempt.situation, *attempt.client, waits);
  Judgement result;
  result.client = (attempt.exit_code == 0) == (expected.kind == 0);
  result.kind = expected.kind == 0 && answered(attempt);
  for (const auto& failure : failures(attempt)) judge_failure(failure, attempt, expected, result);
  for (const auto& event : attempt.events) {
    if (!of_connection(event)) continue;
    result.owner &= owner_is_right(event, attempt);
    result.destination &= destination_is_right(event, attempt);
  }
  return result;
}

bool Judgement::right() const { return wrong().empty(); }

std::string Judgement::wrong() const {
  std::string all;
  const auto add = [&](bool wrong, const char* name) {
    if (wrong) all += (all.empty() ? "" : ", ") + std::string{name};
  };
  add(!client, "client");
  add(!kind, "kind");
  add(wrong_kind, "wrong_kind");
  add(!certainty, "certainty");
  add(!error, "error");
  add(!acknowledgement, "acknowledgement");
  add(!owner, "owner");
  add(!destination, "destination");
  return all;
}

}  // namespace brownout::bench
