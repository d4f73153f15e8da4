// SPDX-License-Identifier: MIT
// Evidence of a long and busy drill, written as `run` writes it, in memory that does not grow with it.
//
// An app with 64 connections to a peer that the faults hit (latency 300 ms +- 20 ms egress, loss 8 %) and 16 to one
// that they do not. Of the events 86 % are calls, 4 % connects, 4 % closes, 4 % retransmits and 2 % RTOs (in the window
// only); the failed calls are as many as asked for, all in the window and written down by the app. A counter sample and
// a version of the fingerprint a second. Two CPUs hand in: every fourth event comes before its predecessor.
#pragma once

#include <array>
#include <cmath>
#include <random>

#include "bundle_fixture.hpp"

namespace brownout::test {

struct LongDrill {
  std::uint64_t events = 100'000;
  std::uint64_t failures = 3'000;
  std::int64_t seconds = 1'200; // baseline a quarter, window a half, recovery the rest but 5 s
  std::uint64_t seed = 1;
};

inline std::string long_drill_text(const LongDrill& long_drill) {
  return fmt::format(R"(brownout: 1
name: long
target: {{container: demo}}
app:
  run_dir: /runs/run_*
  required: [run_manifest.json, execution_fingerprint.json]
pressure: {{min_calls: 20, within: 60s}}
phases: {{baseline: {}s, inject: {}s, recovery: {}s}}
faults:
  - latency: {{delay: 300ms, jitter: 20ms}}
    match: {{direction: egress, protocol: tcp, port: 8443}}
  - loss: {{rate: 8%}}
    match: {{protocol: tcp, port: 8443}}
gates:
  - error_count: {{min_increase: 1}}
)",
                     long_drill.seconds / 4, long_drill.seconds / 2, long_drill.seconds / 4 - 5);
}

inline plan::Plan long_plan(const LongDrill& long_drill) {
  return value_of(plan::compile(value_of(drill::parse(long_drill_text(long_drill), "drill.yaml")), 7));
}

class LongDrillWriter {
 public:
  LongDrillWriter(const LongDrill& long_drill, const std::filesystem::path& directory, const events::Rules& rules)
      : long_drill_(long_drill),
        random_(long_drill.seed),
        window_start_(kStart + long_drill.seconds * kSecond / 4),
        window_end_(window_start_ + long_drill.seconds * kSecond / 2),
        end_(kStart + long_drill.seconds * kSecond),
        recorder_(value_of(events::Recorder::open(directory, rules))) {}

  void write() {
    write_timeline();
    const auto total = long_drill_.events;
    for (std::uint64_t i = 0; i < total; ++i) {
      const auto t = kStart + static_cast<std::int64_t>(static_cast<double>(i + 1) / static_cast<double>(total) *
                                                        static_cast<double>(end_ - kStart - kSecond));
      while (next_second_ <= t) write_second();
      hand_in(next_event(t));
    }
    hand_in_rest();
    while (next_second_ <= end_) write_second();
    done(recorder_->close());
  }

 private:
  static constexpr std::uint64_t kPackets = 200; // matched a second
  static constexpr double kLoss = 0.08;

  std::uint32_t phase_at(std::int64_t t) const {
    if (t < window_start_) return BROWNOUT_PHASE_BASELINE;
    if (t < window_end_) return BROWNOUT_PHASE_INJECT;
    return t < end_ - 5 * kSecond ? BROWNOUT_PHASE_RECOVERY : BROWNOUT_PHASE_SETTLE;
  }

  void write_timeline() {
    events::Evidence evidence;
    evidence.windows = {{BROWNOUT_PHASE_BASELINE, {kStart, window_start_, true}},
                        {BROWNOUT_PHASE_INJECT, {window_start_, window_end_, true}},
                        {BROWNOUT_PHASE_RECOVERY, {window_end_, end_ - 5 * kSecond, true}},
                        {BROWNOUT_PHASE_SETTLE, {end_ - 5 * kSecond, end_, true}}};
    evidence.ending = events::Ending::kCompleted;
    evidence.clocks = {{kStart, kUtcOffset, 0, 200}, {end_, kUtcOffset + 1000, 0, 200}};
    evidence.longest_sampling_gap_ns = 130 * kMillisecond;
    evidence.cleanup_recorded = true;
    for (const auto& entry : timeline_of(evidence)) done(recorder_->record(entry));
  }

  double draw() { return std::uniform_real_distribution{0.0, 1.0}(random_); }

  // Failures are spread evenly over the window's calls.
  bool fails_now(std::int64_t start) {
    if (start < window_start_ || failed_ >= long_drill_.failures) return false;
    const auto due = static_cast<double>(long_drill_.failures) * static_cast<double>(start - window_start_) /
                     static_cast<double>(window_end_ - window_start_ - 3 * kSecond);
    return static_cast<double>(failed_) < due;
  }

  brownout_event next_event(std::int64_t t) {
    brownout_event event{};
    const auto connection = static_cast<std::uint16_t>(random_() % 80);
    event.flags = BROWNOUT_EVENT_APP | BROWNOUT_EVENT_OWNER_KNOWN;
    if (connection < 64) event.flags |= BROWNOUT_EVENT_HIT;
    event.flow = demo_flow(connection < 64 ? 8443 : 9000);
    event.flow.local_port = static_cast<std::uint16_t>(32768 + connection + 80 * ((t / kSecond) % 300));
    event.cookie = 1'000'000 + event.flow.local_port;
    event.cgroup_id = 8421;
    event.pid = 4242;
    event.t_mono_ns = static_cast<std::uint64_t>(t);
    event.calls = 1 + random_() % 50;
    std::memcpy(event.comm, "python3", 7);
    const double kind = draw();
    if (kind < 0.04) return of_connection(event, BROWNOUT_EVENT_CONNECTED);
    if (kind < 0.08) return of_connection(event, BROWNOUT_EVENT_CLOSED);
    const bool injecting = t - kSecond >= window_start_ && t < window_end_ && connection < 64;
    if (kind < 0.20 && injecting) return of_wire(event, kind < 0.16);
    return of_call(event, injecting);
  }

  brownout_event of_connection(brownout_event event, std::uint32_t kind) {
    const bool hit = (event.flags & BROWNOUT_EVENT_HIT) != 0;
    event.kind = kind;
    event.old_state = kind == BROWNOUT_EVENT_CONNECTED ? 2 : 4;
    event.new_state = kind == BROWNOUT_EVENT_CONNECTED ? 1 : 7;
    event.phase = phase_at(static_cast<std::int64_t>(event.t_mono_ns));
    event.srtt_us = 10'000;
    if (kind == BROWNOUT_EVENT_CONNECTED) ++trace_.connects[hit], ++trace_.connected[hit];
    else ++trace_.closed[hit];
    return event;
  }

  brownout_event of_wire(brownout_event event, bool retransmit) {
    event.kind = retransmit ? BROWNOUT_EVENT_RETRANSMIT_FAST : BROWNOUT_EVENT_RTO;
    event.call_start_ns = event.t_mono_ns - 200'000'000;
    event.duration_ns = 200'000'000;
    event.phase = phase_at(static_cast<std::int64_t>(event.call_start_ns));
    event.dropped[BROWNOUT_EGRESS] = event.held[BROWNOUT_EGRESS] = 1;
    event.rto_us = retransmit ? 0 : 410'000;
    event.old_state = event.new_state = 1;
    retransmit ? ++trace_.retransmits : ++trace_.rtos;
    return event;
  }

  brownout_event of_call(brownout_event event, bool injecting) {
    const bool hit = (event.flags & BROWNOUT_EVENT_HIT) != 0;
    const double ms = injecting ? 290 + 40 * draw() : 8 + 4 * draw();
    event.kind = BROWNOUT_EVENT_CALL;
    event.duration_ns = static_cast<std::uint64_t>(ms * 1e6);
    event.old_state = event.new_state = 1;
    ++trace_.calls_started[hit];
    if (injecting && fails_now(static_cast<std::int64_t>(event.t_mono_ns) - 800 * kMillisecond)) {
      fail_call(event);
    } else {
      event.srtt_us = static_cast<std::uint32_t>(ms * 1000);
      if (injecting) event.held[BROWNOUT_EGRESS] = 2;
      ++trace_.calls_completed[hit];
    }
    event.call_start_ns = event.t_mono_ns - event.duration_ns;
    event.phase = phase_at(static_cast<std::int64_t>(event.call_start_ns));
    if (event.kind == BROWNOUT_EVENT_CALL && hit)
      ++histogram_[{event.phase, static_cast<std::uint32_t>(kernel::histogram_bucket(event.duration_ns / 1000))}];
    return event;
  }

  void fail_call(brownout_event& event) {
    event.kind = BROWNOUT_EVENT_CLOSED_UNANSWERED;
    event.flags |= BROWNOUT_EVENT_CALL_FAILED | BROWNOUT_EVENT_INFERRED;
    event.duration_ns = 800'000'000;
    event.dropped[BROWNOUT_EGRESS] = 1;
    event.held[BROWNOUT_EGRESS] = 2;
    event.retransmits = 1;
    ++trace_.calls_failed[1];
    ++failed_;
    errors_.push_back(static_cast<std::int64_t>(event.t_mono_ns) + 5 * kMillisecond);
  }

  void hand_in(brownout_event event) {
    event.sequence = ++trace_.events_attempted;
    ++trace_.events_written;
    if (held_back_) {
      done(recorder_->record(event));
      hand_in_rest();
    } else if (event.sequence % 4 == 0) {
      held_back_ = event;
    } else {
      done(recorder_->record(event));
    }
  }

  void hand_in_rest() {
    if (held_back_) done(recorder_->record(*held_back_));
    held_back_.reset();
  }

  void write_second() {
    write_sample(next_second_);
    write_snapshot(next_second_ + 50 * kMillisecond);
    next_second_ += kSecond;
  }

  void write_sample(std::int64_t t) {
    events::CounterSample sample;
    sample.t_mono_ns = t;
    sample.phase = t == window_end_ ? static_cast<std::uint32_t>(BROWNOUT_PHASE_INJECT) : phase_at(t);
    sample.trace = trace_;
    for (const auto& [place, count] : histogram_) sample.histogram.push_back({place.first, place.second, count});
    histogram_.clear();
    const auto injected_for = std::clamp<std::int64_t>(t - window_start_, 0, window_end_ - window_start_);
    const auto matched = kPackets * static_cast<std::uint64_t>(injected_for / kSecond);
    const auto dropped = static_cast<std::uint64_t>(std::llround(static_cast<double>(matched) * kLoss));
    for (const auto& name : events::kSnmpNames) sample.snmp[name] = 7;
    sample.snmp["Tcp.RetransSegs"] = trace_.retransmits + 3;
    sample.snmp["TcpExt.TCPTimeouts"] = trace_.rtos;
    for (const auto& name : events::kSnmpNamesBefore) sample.snmp_before[name] = sample.snmp[name];
    sample.container_device.rx_packets = 5000 + matched - dropped;
    inject(sample, matched, dropped);
    done(recorder_->record(sample));
  }

  void inject(events::CounterSample& sample, std::uint64_t matched, std::uint64_t dropped) const {
    sample.injecting = sample.t_mono_ns >= window_start_ && sample.t_mono_ns <= window_end_ + kSecond;
    if (!sample.injecting) return;
    sample.has_drop_witness = true;
    sample.drop_witness["TC_INGRESS"] = dropped;
    const auto tally = [](std::uint64_t packets) { return brownout_tally{packets, packets, packets * 100}; };
    const auto held = matched - dropped;
    sample.faults = {{tally(matched), tally(matched), tally(held)}, {},
                     {tally(matched), tally(dropped), tally(dropped)}, {tally(matched), tally(dropped), tally(dropped)}};
    sample.inject.seen[BROWNOUT_EGRESS] = sample.inject.seen[BROWNOUT_INGRESS] = tally(matched);
    sample.inject.redirected[BROWNOUT_EGRESS] = tally(held);
    auto& line = sample.line[BROWNOUT_EGRESS];
    line.received = held;
    line.held = sample.phase == BROWNOUT_PHASE_INJECT ? std::min<std::uint64_t>(held, kPackets / 3) : 0;
    line.reinjected = line.received - line.held;
    line.hold_p50_us = 300'120;
  }

  void write_snapshot(std::int64_t t) {
    events::Snapshot snapshot;
    snapshot.t_mono_ns = t;
    snapshot.previous_look_ns = t - 100 * kMillisecond;
    snapshot.status = events::SnapshotStatus::kRead;
    for (; recorded_ < errors_.size() && errors_[recorded_] <= t; ++recorded_) {
      events::AppError error;
      error.index = recorded_;
      error.raw = {{"ts_utc", format_utc(errors_[recorded_] + kUtcOffset)},
                   {"type", "timeout"},
                   {"exception_type", "ReadTimeout"},
                   {"message", "read timed out"},
                   {"url", "https://10.0.0.1:8443/api/v5/trade"}};
      snapshot.new_errors.push_back(std::move(error));
    }
    snapshot.api_calls = static_cast<std::int64_t>(trace_.calls_completed[1] + trace_.calls_failed[1]);
    snapshot.error_count = static_cast<std::int64_t>(recorded_);
    snapshot.error_events = recorded_;
    snapshot.counters = {{"retries", recorded_ * 2}, {"latency_stats_ms", {{"p95", t > window_start_ ? 330.0 : 12.0}}}};
    done(recorder_->record(snapshot));
  }

  LongDrill long_drill_;
  std::mt19937_64 random_;
  std::int64_t window_start_, window_end_, end_, next_second_ = kStart;
  std::unique_ptr<events::Recorder> recorder_;
  brownout_trace_counters trace_{};
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> histogram_;
  std::vector<std::int64_t> errors_; // when the app wrote them down
  std::uint64_t failed_ = 0;
  std::size_t recorded_ = 0;
  std::optional<brownout_event> held_back_;
};

// As `run` leaves it, but for the run directory's copies.
inline void write_long_drill(const LongDrill& long_drill, const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  done(bundle::stage_plan(long_plan(long_drill), directory));
  LongDrillWriter{long_drill, directory,
                  {.drill_sha256 = sha256(slurp(directory / "drill.yaml")), .plan_sha256 = sha256(slurp(directory / "plan.json"))}}
      .write();
  done(events::write_run_files(directory, {.after = {{.path = "execution_fingerprint.json"},
                                                     {.path = "run_manifest.json"}}}));
}

}  // namespace brownout::test
