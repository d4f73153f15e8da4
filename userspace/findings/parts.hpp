// SPDX-License-Identifier: MIT
// The parts of derive(), in the order in which each may use what the ones before it found.
#pragma once

#include "brownout/findings.hpp"
#include "brownout/latency_histogram.hpp"
#include "call_delays.hpp"
#include "name_book.hpp"
#include "sequences.hpp"

namespace brownout::findings {

// What failed, out of the events as they are told.
class FailureFold {
 public:
  FailureFold(const events::Evidence& evidence, const NameBook& names, Findings& findings);
  void take(const brownout_event& event, const events::Where& where);
  void finish();

 private:
  void count(const Failure& failure);

  std::optional<events::Window> baseline_, window_, recovery_;
  const NameBook& names_;
  Findings& findings_;
};

// What was under way between phases: the same.
class EdgeFold {
 public:
  explicit EdgeFold(Findings& findings) : findings_(findings) {}
  void take(const brownout_event& event, const events::Where& where);

 private:
  Findings& findings_;
};

// Which of the app's DNS queries failed: the same.
class LookupFold {
 public:
  LookupFold(const events::Evidence& evidence, const NameBook& names, Findings& findings);
  void take(const brownout_event& event, const events::Where& where);
  void finish();

 private:
  std::optional<events::Window> window_;
  const NameBook& names_;
  Findings& findings_;
};

// Round trips over time: the same.
class RoundTripFold {
 public:
  explicit RoundTripFold(const events::Evidence& evidence);
  void take(const brownout_event& event);
  std::vector<RoundTrip> finish() const;

 private:
  std::vector<std::int64_t> ends_ns_; // of the bins; before them, the start of the first
  std::vector<LatencyHistogram> bins_;
};

// By position of the latency fault in the plan.
using CallDelaysOfFaults = std::map<std::size_t, CallDelays>;

void find_calls(const plan::Plan& plan, const events::Evidence& evidence, Findings& findings);
void find_destinations(const events::Evidence& evidence, const NameBook& names, Findings& findings);
void find_recovery(const events::Evidence& evidence, Findings& findings);
void compare_with_kernel(const events::Evidence& evidence, Findings& findings); // of find_ledger()
void find_ledger(const events::Evidence& evidence, const Sequences& sequences, Findings& findings);
void find_capture(const plan::Plan& plan, const events::Evidence& evidence, Findings& findings);
void find_effects(const plan::Plan& plan, const events::Evidence& evidence, const CallDelaysOfFaults& delays,
                  Findings& findings);
void find_app_errors(const events::Evidence& evidence, Findings& findings);
// Whether the app's stamps are of another time zone.
void suspect_offset(const events::Evidence& evidence, Findings& findings);
// Errors and failures, one to one; then where each error belongs.
void match_app_errors(const events::Evidence& evidence, Findings& findings);
void place_app_errors(const events::Evidence& evidence, Findings& findings);
// Payload for names: attempted, and neither written nor lost.
void find_payload_ledger(const events::Evidence& evidence, Findings& findings);
void match_lookups(const events::Evidence& evidence, Findings& findings);
// Counters that reset, run backwards, or count differently from the manifest or from the list.
void find_account(const events::Evidence& evidence, Findings& findings);
void find_growth(const plan::Plan& plan, const events::Evidence& evidence, Findings& findings);
void find_coverage(const plan::Plan& plan, const events::Evidence& evidence, Findings& findings);

// Was something injected on the event's own flow that explains it? docs/verdict.md
bool carries_injection(const brownout_event& event);
// Between that time and when the error happened; 0 inside.
std::int64_t distance_ns(const AppErrorFinding& error, std::int64_t t_ns);
// Of the offset between the clocks: comes on top of every reach and slack.
std::int64_t clock_uncertainty_ns(const events::Evidence& evidence);

// Fills FaultEffect::witnesses.
void witness_drops(const plan::Plan& plan, const events::Evidence& evidence, FaultEffect& effect);
void witness_latency(const plan::Plan& plan, const events::Evidence& evidence, const CallDelays& calls,
                     const Findings& findings, FaultEffect& effect);

// What an app error says of itself. A timeout is told from an explicit refusal, so that each finds its like.
enum class ErrorKind : std::uint8_t { kOther, kTimeout, kRefusal, kNetwork, kLookup };
ErrorKind kind_of(const events::AppError& error);

}  // namespace brownout::findings
