// SPDX-License-Identifier: MIT
// Stage 6. What the evidence says, without judging: pure functions of plan and evidence. The kernel's events are folded
// as they are told; memory grows with what failed, with gaps and with the drill's seconds, not with events.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "brownout/events.hpp"

namespace brownout::findings {

// An app error can belong to a kernel failure when the stamp of its record is no further from the failure than an app
// may be late, or early, with it, plus the slack (and the uncertainty of the clock offsets).
inline constexpr std::int64_t kRecordDelayNs = 2'000'000'000;
inline constexpr std::int64_t kMatchSlackNs = 1'000'000'000;
inline constexpr std::int64_t kMatchReachNs = kRecordDelayNs + kMatchSlackNs;
// Medians are compared, and a direction's drops are, only with this many on each side.
inline constexpr std::uint64_t kLatencySamples = 20;
inline constexpr double kExpectedDrops = 10;

struct CallStats { // of one phase, calls of app.process on flows that the plan hits
  std::uint64_t started = 0;          // growth of the counter between the phase's edges
  std::uint64_t completed = 0;        // calls that started in the phase: from the histogram
  std::uint64_t failed = 0;           // calls that started in the phase: from the events
  std::uint64_t in_flight_at_end = 0;
  double seconds = 0;
  std::optional<double> p50_ms, p95_ms, p99_ms, max_ms; // of completed calls, from the kernel's histogram
  double completed_per_second() const { return seconds > 0 ? static_cast<double>(completed) / seconds : 0; }
  double failed_per_second() const { return seconds > 0 ? static_cast<double>(failed) / seconds : 0; }
};

struct DestinationStats { // calls to one destination that started in one phase
  std::optional<std::string> destination; // as of events::LatencyRecord
  std::vector<std::string> names;         // of it, as far as known: docs/events.md
  bool target = false;
  std::uint32_t phase = 0;
  std::uint64_t completed = 0, ended = 0; // answers begun; answers of which the end is known
  std::optional<double> first_p50_ms, first_p95_ms, first_max_ms, last_p50_ms, last_p95_ms, last_max_ms;
  events::Ref ref;
};

struct Edge { // between two phases: what of the target, on any flow, was under way there
  std::int64_t t_mono_ns = 0;
  std::uint64_t calls = 0, connects = 0;
  std::int64_t oldest_ns = 0;
  events::Ref ref; // of the oldest
};

struct CaptureAccount { // packets that faults hit, by direction: what became of each one's record
  struct Direction {
    std::uint64_t dropped = 0, delayed = 0; // by the injector's own counters
    std::uint64_t recorded = 0;             // lines of packets.jsonl
    brownout_tally seen{};                  // that the injector met
    std::uint64_t captured = 0, lost = 0, beyond = 0;
    std::uint64_t hit() const { return dropped + delayed; }
    bool whole() const { return recorded == captured && captured + lost + beyond == hit(); }
  };
  std::array<Direction, BROWNOUT_DIRECTIONS> directions{};
  bool whole() const { return directions[BROWNOUT_EGRESS].whole() && directions[BROWNOUT_INGRESS].whole(); }
};

struct Failure { // a kernel failure that ended a call
  brownout_event event{};
  std::int64_t t_mono_ns = 0, call_start_ns = 0;
  bool in_window = false;   // its call started in the injection window
  bool injected = false;    // carries what was injected on its own flow since the call's start: docs/verdict.md
  std::vector<std::string> names; // of the peer, as far as known: docs/verdict.md
  std::optional<std::size_t> app_error; // index into Findings::app_errors
  events::Ref ref;
};

struct LookupFailure { // a DNS query of the app that failed or was not answered: of no call
  brownout_event event{};
  std::int64_t t_mono_ns = 0;
  bool in_window = false;   // asked in the injection window
  bool injected = false;    // as of Failure
  std::string name;         // that was asked for; empty: not known
  std::optional<std::size_t> app_error; // that it explains
  events::Ref ref;
};

struct AppErrorFinding {
  events::AppError error;
  std::int64_t earliest_ns = 0, latest_ns = 0; // when it happened: equal where its own stamp is used
  std::int64_t seen_after_ns = 0, seen_ns = 0; // not in the version before (0: there was none), seen in this one
  bool in_window = false;       // its call started in the injection window, for certain
  bool maybe_in_window = false; // it may have; never together with in_window
  bool network_kind = false;    // its type or exception is one of a network error
  std::optional<std::size_t> failure;  // index into Findings::failures
  std::optional<std::size_t> lookup;   // index into Findings::lookups, where it is about a name
};

// How late the app's stamps are, by the app errors and failures themselves: constant, so that a lone pair can be told
// from two strangers.
struct RecordDelay {
  std::int64_t delay_ns = 0; // negative: stamped before the kernel saw the call end
  std::int64_t slack_ns = kMatchReachNs; // around it, within which pairs are sought
  std::size_t pairs = 0;     // that tell so
};

enum class WitnessWeight : std::uint8_t {
  kDeciding,   // from outside our programs, and exact enough to refute: a disagreement is witness_disagrees
  kSupporting, // from outside our programs, coarse: decides only where no deciding one could be had
  kOwn,        // our own measurement: printed, never counted as a second witness
};

struct Witness {
  std::string name;  // "container device rx_packets", "kfree_skb TC_INGRESS", "Tcp.RetransSegs", "kernel call latency"
  double measured = 0, expected_low = 0, expected_high = 0;
  bool agrees = false;
  WitnessWeight weight = WitnessWeight::kDeciding;
  std::uint64_t n = 0;   // samples behind it, where it is a median
};

struct FaultEffect { // one fault, one direction
  std::size_t fault = 0; // position in Plan::faults
  int direction = 0;
  bool observed = false; // a sample of the window has the injector's counters
  brownout_fault_counters counters{}; // at the last sample of the window
  double expected_low = 0, expected_high = 0; // loss: packets decided, binomial 99.99 % interval around matched * rate
  double expected_drops = 0;
  std::uint64_t dropped_in_direction = 0; // applied by all loss and blackhole faults of this direction together
  std::uint64_t overflow = 0, expired = 0, lost_in_line = 0; // the last: device drops and write errors
  std::uint64_t redirect_failed = 0;      // passed without delay
  std::uint64_t heartbeat_stale = 0, deadline_passed = 0;    // packets passed while the fault was halted
  std::uint64_t capped = 0; // of both directions: decided on, and passed because a cap of the drill was reached
  std::uint64_t latency_calls_baseline = 0, latency_calls_window = 0; // behind the latency witness
  std::vector<Witness> witnesses;
  events::Ref ref; // the sample
};

struct LedgerRow { // one of the kernel's own counters of the network namespace, over one phase or all of the run
  std::string counter;       // "Tcp.RetransSegs"
  std::string formula;       // of the tracer's counters: docs/events.md
  std::string phase;         // "inject"; "all"
  std::uint64_t traced = 0;
  std::uint64_t missed = 0;  // runs of programs that the kernel skipped meanwhile: any of them may be lacking here
  std::uint64_t low = 0, high = 0; // the counter's growth: it was read before and after the tracer's at either end
  bool bound = false;        // the kernel may have counted more than what is traced
  bool equal = false, closes = false; // closes: equal, or below where it is a bound
};

struct RoundTrip { // smoothed by TCP, as the app's connections on hit flows had it at their events in one bin
  std::optional<double> p50_ms, p95_ms;
};

struct Growth { // of a counter of the app over the window, bounded by the snapshots around it
  std::optional<double> lower, upper;
  double baseline_per_second = 0;
  std::optional<double> at_start, at_end;
  bool reset = false; // it went down in the meantime: nothing can be said
  bool backwards = false; // with reset: it did not begin anew, it just went down
};

// Does the app count as one run of it would? The first trouble of each sort, in words.
struct CounterAccount {
  std::string reset;        // "api_calls went from 412 to 3": the app was started again
  std::string backwards;    // "error_count went from 12 to 11"
  std::string disagreement; // "error_count is 3 in the fingerprint and 5 in the manifest"
  std::vector<events::Ref> refs; // of the versions that say so
  bool counts_only = false; // errors were counted, and never listed
};

struct Findings {
  std::uint64_t events = 0;                 // of the kernel, that were told
  std::map<std::uint32_t, CallStats> calls; // by phase
  std::uint64_t pressure_completed = 0;     // in the span before the window
  double pressure_bins_active = 0;          // share of the window's 5 s bins with a call started or in flight
  std::optional<double> calls_per_api_call; // kernel calls / growth of api_calls over baseline and window
  double api_calls_growth = 0;
  std::vector<Failure> failures;            // all that ended a call of the app on a hit flow, in order
  std::vector<DestinationStats> destinations;
  std::optional<CaptureAccount> capture;    // where the drill asks for packets
  std::vector<Edge> edges;                  // in order; with something under way only
  std::vector<LookupFailure> lookups;       // of the app, on any flow, in order
  std::vector<events::Ref> failures_elsewhere; // of the app in the window, on flows that no fault matches
  std::uint64_t failures_in_window = 0, failures_attributable = 0, failures_baseline = 0, failures_recovery = 0;
  std::uint64_t failures_recorded = 0;      // attributable and matched by an app error
  std::uint64_t failures_recordable = 0;    // attributable, retries of the app folded
  double recorded_lower = 0, recorded_upper = 0; // of failures_recordable: by match, by growth of error_count
  std::vector<AppErrorFinding> app_errors;
  std::optional<RecordDelay> record_delay;  // none: pairs are sought within kMatchReachNs of no delay
  std::size_t components_not_exact = 0;     // of matching: too many candidates hang together, nearest first instead
  CounterAccount account;
  Growth error_count;                       // over the injection window
  std::map<std::string, Growth> counters;   // by JSON pointer, for counter gates
  std::map<std::string, std::pair<std::optional<double>, std::optional<double>>> latency_fields; // baseline, window
  std::uint64_t network_errors_in_window = 0; // app errors of a network kind, or matched
  std::optional<std::int64_t> timestamp_offset_suspected_ns;
  std::vector<FaultEffect> effects;
  bool conservation_holds = true;           // of the delay line, at every sample
  std::string conservation_detail;
  std::uint64_t retransmits_window = 0, rtos_window = 0;
  std::optional<double> recovered_after_s;  // from the start of recovery
  bool recovery_measurable = false;         // long enough, and enough calls expected in it
  double recovery_rate_ratio = 0, recovery_p95_ratio = 0;
  std::uint64_t recovery_failures = 0;      // of calls that started in the span that was compared
  std::uint64_t sequence_gaps = 0;          // numbers missing among the events recorded
  std::uint64_t events_unaccounted = 0;     // gaps and written events that no counter of loss explains
  std::uint64_t payloads_unaccounted = 0;   // the same of payload for names
  std::vector<LedgerRow> ledger;
  std::vector<RoundTrip> round_trips;       // of each bin of bin_edges()
  std::string snmp_violation;               // empty: every row of the ledger closes
  bool snmp_equal = false;                  // retransmits and RTOs seen are all that the network namespace counted
  std::int64_t clock_step_ns = 0;           // change of realtime - monotonic over the run, beyond slew
  std::int64_t clock_change_ns = 0;         // the same, slew included
  std::vector<events::Ref> counter_refs;    // first and last sample of baseline, window, recovery
};

// Tells every event of the kernel, in the order in which they were recorded, to a sink. An Error ends it.
using Events = std::function<Result<>(const events::EventSink& sink)>;
// An Error only when `events` has one, or when there is no room for temporary files: where there are more calls than are
// good to hold, their times wait in one.
Result<Findings> derive(const plan::Plan& plan, const events::Evidence& evidence, const Events& events);

// What is drawn over time is drawn in this many bins at most, however long the drill was.
inline constexpr std::size_t kMostBins = 2'000;
// Positions in Evidence::counters: a bin lies between each two that follow each other, and is no shorter than 0.9 s.
std::vector<std::size_t> bin_edges(const events::Evidence& evidence);

// A number of one version of the fingerprint, by JSON pointer: "/error_count", "/retries", "/latency_stats_ms/p95".
std::optional<double> number_at(const events::Snapshot& snapshot, const std::string& pointer);

// The recorded files of a directory, and what they say.
struct Reading {
  events::Evidence evidence;
  Findings findings;
};
Result<Reading> read(const plan::Plan& plan, const std::filesystem::path& directory);

// Does this fault match packets of this flow (in any direction)? As the BPF programs do it.
bool matches(const brownout_match& match, const brownout_flow_key& flow, std::uint64_t seed);

// Two-sided interval of a Binomial(n, p) that holds with the given confidence (0.9999).
std::pair<double, double> binomial_interval(std::uint64_t n, double p, double confidence);
// P(X <= k) for X ~ Binomial(n, p).
double binomial_cdf(std::uint64_t k, std::uint64_t n, double p);
// P(X >= k) for X ~ Poisson(mean).
double poisson_tail(std::uint64_t k, double mean);
// The most that X ~ Poisson(mean) comes to but with that probability.
std::uint64_t poisson_most(double mean, double probability);
// Wilson interval of k of n; confidence 0.9, 0.95, 0.99 or anything between 0 and 1.
std::pair<double, double> proportion_interval(std::uint64_t k, std::uint64_t n, double confidence);

}  // namespace brownout::findings
