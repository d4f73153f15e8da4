// SPDX-License-Identifier: MIT
// Complete evidence of a plausible drill, in which a test breaks one thing.
//
// A client with 4 workers and a time-out of its own of 0.8 s; baseline 8 s, window 20 s, recovery 8 s, settle 5 s;
// faults: latency 300 ms +- 20 ms egress, loss 8 % in both directions. 40 calls/s of about 10 ms in the baseline, 10/s
// of about 310 ms in the window, of which 30 fail and are written down by the app. Everything is deterministic.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <netinet/in.h>

#include "brownout/findings.hpp"

namespace brownout::test {

inline constexpr std::int64_t kSecond = 1'000'000'000;
inline constexpr std::int64_t kMillisecond = 1'000'000;
inline constexpr std::int64_t kStart = 1000 * kSecond;          // the tracer is attached
inline constexpr std::int64_t kBaselineStart = kStart + 2 * kSecond;
inline constexpr std::int64_t kWindowStart = kBaselineStart + 8 * kSecond;
inline constexpr std::int64_t kWindowEnd = kWindowStart + 20 * kSecond;
inline constexpr std::int64_t kRecoveryEnd = kWindowEnd + 8 * kSecond;
inline constexpr std::int64_t kSettleEnd = kRecoveryEnd + 5 * kSecond;
inline constexpr std::int64_t kUtcOffset = 1'766'455'000 * kSecond; // realtime - monotonic
inline constexpr std::uint32_t kOurs = BROWNOUT_EVENT_HIT | BROWNOUT_EVENT_APP | BROWNOUT_EVENT_OWNER_KNOWN;

inline brownout_flow_key demo_flow(std::uint16_t peer_port = 8443) {
  brownout_flow_key flow{};
  const auto address = [](std::uint8_t (&into)[16], std::uint8_t last) {
    into[10] = into[11] = 0xff;
    into[12] = 10;
    into[15] = last;
  };
  address(flow.local_address, 2);
  address(flow.peer_address, 1);
  flow.local_port = 40000;
  flow.peer_port = peer_port;
  flow.protocol = IPPROTO_TCP;
  return flow;
}

inline plan::PlannedFault planned_fault(std::uint32_t kind, std::vector<int> directions) {
  plan::PlannedFault fault;
  fault.abi.kind = kind;
  fault.abi.match.peer_port_high = fault.abi.match.local_port_high = 65535;
  for (const int direction : directions)
    fault.abi.match.directions = static_cast<std::uint8_t>(fault.abi.match.directions | (1U << direction));
  fault.directions = std::move(directions);
  fault.drill_line = 12;
  return fault;
}

inline plan::Plan demo_plan() {
  plan::Plan plan;
  plan.drill.name = "demo";
  plan.drill.app =
      drill::App{.run_dir = "/runs/run_*", .required = {"run_manifest.json", "execution_fingerprint.json"}};
  plan.drill.pressure = {.min_calls = 20, .within = std::chrono::seconds{60}};
  plan.drill.phases = {std::chrono::seconds{8}, std::chrono::seconds{20}, std::chrono::seconds{8}, {}};
  auto latency = planned_fault(BROWNOUT_FAULT_LATENCY, {BROWNOUT_EGRESS});
  latency.label = "latency 300ms±20ms egress";
  latency.abi.delay_ns = 300'000'000;
  latency.abi.jitter_ns = 20'000'000;
  auto loss = planned_fault(BROWNOUT_FAULT_LOSS, {BROWNOUT_EGRESS, BROWNOUT_INGRESS});
  loss.label = "loss 8 %";
  loss.rate = 0.08;
  loss.abi.drop_threshold = 343'597'384;
  plan.faults = {latency, loss};
  plan.faults[1].index = 1;
  plan.needs_delay_line = true;
  plan.gates = {drill::Gate{.what = drill::ErrorCountGate{.min_increase = 1}},
                drill::Gate{.what = drill::ErrorEventsGate{.types = {"timeout", "connection_error"}, .min = 1}}};
  plan.max_duration_ns = 60 * kSecond;
  return plan;
}

struct KernelEvent {
  brownout_event raw{};
  events::Ref ref;
};

// With the kernel's events in a list, where evidence that was recorded has a file.
struct Evidence : events::Evidence {
  std::vector<KernelEvent> kernel_events;
  std::vector<events::PacketRecord> packet_records; // with `packets` only
};

inline findings::Findings derive(const plan::Plan& plan, const Evidence& evidence) {
  const auto found = findings::derive(plan, evidence, [&evidence](const events::EventSink& sink) -> Result<> {
    for (const auto& event : evidence.kernel_events) BROWNOUT_TRY(sink(event.raw, [&event] { return event.ref; }));
    return {};
  });
  if (!found) throw std::runtime_error(found.error().render());
  return *found;
}

class EvidenceBuilder {
 public:
  // ---- what is broken ----
  EvidenceBuilder& failures(int count) { failures_ = count; return *this; }
  EvidenceBuilder& recorded(int count) { recorded_ = count; return *this; }          // that the app writes down
  EvidenceBuilder& injected_on_flow(bool is) { injected_on_flow_ = is; return *this; }
  EvidenceBuilder& failures_hit(bool are) { failures_hit_ = are; return *this; }     // on flows that a fault matches
  EvidenceBuilder& failure_kind(std::uint32_t kind) { failure_kind_ = kind; return *this; }
  EvidenceBuilder& window_call_ms(double ms) { window_ms_ = ms; return *this; }
  EvidenceBuilder& drop_rate(double rate) { drop_rate_ = rate; return *this; }       // what the injector does
  EvidenceBuilder& really_drops(bool does) { really_drops_ = does; return *this; }   // what the kernel sees of it
  EvidenceBuilder& matched_per_second(std::uint64_t packets) { matched_ = packets; return *this; }
  EvidenceBuilder& baseline_failures(int count) { baseline_failures_ = count; return *this; }
  EvidenceBuilder& stamp_shift(std::int64_t ns) { stamp_shift_ns_ = ns; return *this; }
  EvidenceBuilder& stamped(bool are) { stamped_ = are; return *this; }
  EvidenceBuilder& rates(int baseline, int window) {                                 // calls a second
    baseline_rate_ = recovery_rate_ = baseline;
    window_rate_ = window;
    return *this;
  }
  EvidenceBuilder& irregular(std::uint64_t seed) { irregular_ = seed; return *this; } // when failures happen
  EvidenceBuilder& recovery_rate(int calls) { recovery_rate_ = calls; return *this; }
  // Any change to the finished evidence.
  EvidenceBuilder& then(std::function<void(Evidence&)> change) {
    changes_.push_back(std::move(change));
    return *this;
  }
  // The drill ended without an injection: pressure never came.
  EvidenceBuilder& idle() { return then([](Evidence& evidence) { make_idle(evidence); }); }

  Evidence build() {
    evidence_ = {};
    sequence_ = 0;
    make_frame();
    make_events();
    make_samples();
    make_snapshots();
    for (const auto& change : changes_) change(evidence_);
    return std::move(evidence_);
  }

 private:
  static std::uint32_t phase_at(std::int64_t t) {
    if (t < kBaselineStart) return BROWNOUT_PHASE_WAITING;
    if (t < kWindowStart) return BROWNOUT_PHASE_BASELINE;
    if (t < kWindowEnd) return BROWNOUT_PHASE_INJECT;
    return t < kRecoveryEnd ? BROWNOUT_PHASE_RECOVERY : BROWNOUT_PHASE_SETTLE;
  }

  static events::Ref ref(std::string file, std::size_t line) {
    return {std::move(file), static_cast<int>(line), static_cast<int>(line), "0123456789abcdef"};
  }

  void make_frame() {
    evidence_.windows = {{BROWNOUT_PHASE_BASELINE, {kBaselineStart, kWindowStart, true}},
                         {BROWNOUT_PHASE_INJECT, {kWindowStart, kWindowEnd, true}},
                         {BROWNOUT_PHASE_RECOVERY, {kWindowEnd, kRecoveryEnd, true}},
                         {BROWNOUT_PHASE_SETTLE, {kRecoveryEnd, kSettleEnd, true}}};
    evidence_.ending = events::Ending::kCompleted;
    evidence_.clocks = {{kStart, kUtcOffset, 0, 200}, {kSettleEnd, kUtcOffset + 1000, 0, 200}};
    evidence_.longest_sampling_gap_ns = 130 * kMillisecond;
    evidence_.cleanup_recorded = true;
    evidence_.run_files = events::RunFiles{};
    evidence_.run_files->after = {{.path = "execution_fingerprint.json"}, {.path = "run_manifest.json"}};
  }

  brownout_event event(std::uint32_t kind, std::int64_t start, std::int64_t duration) {
    brownout_event made{};
    made.kind = kind;
    made.flags = kOurs;
    made.flow = demo_flow();
    made.call_start_ns = static_cast<std::uint64_t>(start);
    made.duration_ns = static_cast<std::uint64_t>(duration);
    made.t_mono_ns = static_cast<std::uint64_t>(start + duration);
    made.phase = phase_at(start);
    made.pid = 4242;
    return made;
  }

  // Calls that start within a second of a phase, spread evenly, around `ms`.
  void add_calls(std::int64_t second, int count, double ms, bool in_window) {
    for (int i = 0; i < count; ++i) {
      const double jitter = (in_window ? 20.0 : 2.0) * (2.0 * (i + 0.5) / count - 1);
      auto call = event(BROWNOUT_EVENT_CALL, second + i * kSecond / count,
                        static_cast<std::int64_t>((ms + jitter) * 1e6));
      call.srtt_us = static_cast<std::uint32_t>((ms + jitter) * 1000);
      if (in_window) call.held[BROWNOUT_EGRESS] = 2;
      raw_.push_back(call);
    }
  }

  void add_failure(std::int64_t start, bool in_window) {
    auto failed = event(failure_kind_, start, 800 * kMillisecond);
    failed.flags |= BROWNOUT_EVENT_CALL_FAILED;
    if (!failures_hit_) failed.flags &= ~static_cast<std::uint32_t>(BROWNOUT_EVENT_HIT);
    if (in_window && injected_on_flow_) {
      failed.dropped[BROWNOUT_EGRESS] = 1;
      failed.held[BROWNOUT_EGRESS] = 2;
    }
    raw_.push_back(failed);
  }

  std::vector<std::int64_t> failure_starts() const {
    std::vector<std::int64_t> starts;
    std::mt19937_64 random{irregular_.value_or(0)};
    std::uniform_int_distribution<std::int64_t> any_time{kWindowStart + 100 * kMillisecond, kWindowEnd - kSecond};
    for (int i = 0; i < failures_; ++i)
      starts.push_back(irregular_ ? any_time(random)
                                  : kWindowStart + 100 * kMillisecond + i * (18 * kSecond / failures_));
    return starts;
  }

  void make_events() {
    raw_.clear();
    for (auto second = kStart; second < kRecoveryEnd; second += kSecond) {
      const bool in_window = phase_at(second) == BROWNOUT_PHASE_INJECT;
      const int rate = in_window                                     ? window_rate_
                       : phase_at(second) == BROWNOUT_PHASE_RECOVERY ? recovery_rate_
                                                                     : baseline_rate_;
      add_calls(second, rate, in_window ? window_ms_ : kBaselineMs, in_window);
    }
    for (const auto start : failure_starts()) add_failure(start, true);
    for (int i = 0; i < baseline_failures_; ++i) add_failure(kBaselineStart + i * 200 * kMillisecond, false);
    std::ranges::stable_sort(raw_, {}, &brownout_event::t_mono_ns);
    for (auto& raw : raw_) {
      raw.sequence = ++sequence_;
      evidence_.kernel_events.push_back({raw, ref("kernel/events.jsonl", sequence_)});
    }
  }

  void make_samples() {
    std::int64_t before = kStart - 1;
    for (auto t = kStart; t <= kSettleEnd; t += kSecond) {
      // The window's last sample is taken before the drain begins.
      add_sample(t, before, t == kWindowEnd ? static_cast<std::uint32_t>(BROWNOUT_PHASE_INJECT) : phase_at(t));
      before = t;
    }
  }

  void count_calls(events::CounterSample& sample, std::int64_t before) const {
    auto& trace = sample.trace;
    for (const auto& raw : raw_) {
      const auto ended = static_cast<std::int64_t>(raw.t_mono_ns);
      const bool hit = (raw.flags & BROWNOUT_EVENT_HIT) != 0;
      if (static_cast<std::int64_t>(raw.call_start_ns) <= sample.t_mono_ns) ++trace.calls_started[hit];
      if (ended > sample.t_mono_ns) continue;
      ++trace.events_attempted;
      ++trace.events_written;
      if (raw.kind != BROWNOUT_EVENT_CALL) {
        ++trace.calls_failed[hit];
        continue;
      }
      ++trace.calls_completed[hit];
      if (ended > before)
        sample.histogram.push_back(
            {raw.phase, static_cast<std::uint32_t>(kernel::histogram_bucket(raw.duration_ns / 1000)), 1});
    }
  }

  void count_packets(events::CounterSample& sample) const {
    const auto injected_for = std::clamp<std::int64_t>(sample.t_mono_ns - kWindowStart, 0, kWindowEnd - kWindowStart);
    const auto matched = matched_ * static_cast<std::uint64_t>(injected_for) / kSecond;
    const auto dropped = static_cast<std::uint64_t>(std::llround(static_cast<double>(matched) * drop_rate_));
    const auto seen_dropped = really_drops_ ? dropped : 0;
    sample.injecting = sample.t_mono_ns >= kWindowStart && sample.t_mono_ns <= kWindowEnd + kSecond;
    sample.has_drop_witness = sample.injecting;
    sample.drop_witness["TC_INGRESS"] = seen_dropped;
    sample.container_device.rx_packets = 5000 + matched - seen_dropped;
    sample.snmp = {{"Tcp.RetransSegs", dropped / 2 + 3}, {"TcpExt.TCPTimeouts", dropped / 3}};
    sample.trace.retransmits = dropped / 2;
    sample.trace.rtos = dropped / 3;
    const brownout_tally all{matched, matched, matched * 100};
    const brownout_tally drops{dropped, dropped, dropped * 100};
    const brownout_tally held{matched - dropped, matched - dropped, (matched - dropped) * 100};
    sample.faults.assign(4, {});
    sample.faults[0] = {all, all, held};          // latency egress
    sample.faults[2] = {all, drops, drops};       // loss egress
    sample.faults[3] = {all, drops, drops};       // loss ingress
    sample.inject.seen[BROWNOUT_EGRESS] = sample.inject.seen[BROWNOUT_INGRESS] = all;
    sample.inject.redirected[BROWNOUT_EGRESS] = held;
    auto& line = sample.line[BROWNOUT_EGRESS];
    line.received = held.packets;
    line.held = sample.phase == BROWNOUT_PHASE_INJECT ? std::min<std::uint64_t>(held.packets, matched_ / 3) : 0;
    line.reinjected = line.received - line.held;
    line.hold_p50_us = 300'120;
    sample.delays[BROWNOUT_EGRESS] = {.packets = held.packets, .decided_p50_us = 299'008, .decided_p99_us = 319'488,
                                      .decided_max_us = 319'488, .order_held = held.packets / 4, .order_p50_us = 0,
                                      .order_p99_us = 17'152, .order_max_us = 31'232};
  }

  void add_sample(std::int64_t t, std::int64_t before, std::uint32_t phase) {
    events::CounterSample sample;
    sample.t_mono_ns = t;
    sample.phase = phase;
    count_calls(sample, before);
    count_packets(sample);
    sample.ref = ref("kernel/counters.jsonl", evidence_.counters.size() + 1);
    evidence_.counters.push_back(std::move(sample));
  }

  events::AppError app_error(std::size_t index, std::int64_t t, std::size_t line) const {
    events::AppError error;
    error.index = index;
    if (stamped_) error.utc_ns = t + kUtcOffset + stamp_shift_ns_;
    error.type = "timeout";
    error.exception_type = "ReadTimeout";
    error.message = "read timed out";
    error.url = "https://10.0.0.1:8443/api/v5/trade";
    error.ref = ref("fingerprint/snapshots.jsonl", line);
    return error;
  }

  // One version a second: what the app knows of the calls that ended until then.
  void make_snapshots() {
    std::size_t errors = 0;
    for (auto t = kStart; t <= kSettleEnd; t += kSecond) {
      events::Snapshot snapshot;
      snapshot.t_mono_ns = t + 50 * kMillisecond;
      snapshot.previous_look_ns = t - 50 * kMillisecond;
      snapshot.status = events::SnapshotStatus::kRead;
      snapshot.api_calls = std::ranges::count_if(raw_, [&](const brownout_event& raw) {
        return static_cast<std::int64_t>(raw.t_mono_ns) <= t;
      });
      snapshot.ref = ref("fingerprint/snapshots.jsonl", evidence_.snapshots.size() + 1);
      for (const auto& raw : raw_) {
        const auto failed_at = static_cast<std::int64_t>(raw.t_mono_ns);
        if (raw.kind == BROWNOUT_EVENT_CALL || failed_at > t || failed_at <= t - kSecond) continue;
        if (static_cast<int>(errors) >= recorded_) break;
        snapshot.new_errors.push_back(
            app_error(errors++, failed_at + 5 * kMillisecond, evidence_.snapshots.size() + 1));
      }
      snapshot.error_count = static_cast<std::int64_t>(errors);
      snapshot.counters = {{"retries", errors * 2}, {"latency_stats_ms", {{"p95", t > kWindowStart ? 330.0 : 12.0}}}};
      evidence_.snapshots.push_back(std::move(snapshot));
    }
  }

  static void make_idle(Evidence& evidence) {
    evidence.windows.clear();
    evidence.ending = events::Ending::kNoPressure;
    evidence.ending_detail = "no pressure: 0 of 20 completed calls within 60s";
    evidence.kernel_events.clear();
    for (auto& sample : evidence.counters) {
      sample.phase = BROWNOUT_PHASE_WAITING;
      sample.trace = {};
      sample.histogram.clear();
      sample.injecting = false;
    }
    for (auto& snapshot : evidence.snapshots) {
      snapshot.new_errors.clear();
      snapshot.error_count = snapshot.api_calls = 0;
    }
  }

  static constexpr double kBaselineMs = 10;

  int baseline_rate_ = 40, window_rate_ = 10, recovery_rate_ = 40;
  int failures_ = 30, recorded_ = 1'000'000, baseline_failures_ = 0;
  std::optional<std::uint64_t> irregular_;
  bool injected_on_flow_ = true, failures_hit_ = true, really_drops_ = true, stamped_ = true;
  std::uint32_t failure_kind_ = BROWNOUT_EVENT_CLOSED_UNANSWERED;
  double window_ms_ = 310, drop_rate_ = 0.08;
  std::uint64_t matched_ = 60;
  std::int64_t stamp_shift_ns_ = 0;
  std::vector<std::function<void(Evidence&)>> changes_;
  std::vector<brownout_event> raw_;
  std::uint64_t sequence_ = 0;
  Evidence evidence_;
};

}  // namespace brownout::test
