// SPDX-License-Identifier: MIT
// INCIDENT-20251223, the drill that brownout comes from, as brownout would have recorded it: an outage of 85 s while the
// app made no call (three in all, before it), a fingerprint that is there only at the end, and a STOP file.
#pragma once

#include <string_view>

#include "bundle_fixture.hpp"

namespace brownout::test {

inline constexpr std::string_view kSeedDrill = R"(brownout: 1
name: C2_2_DEGRADATION
target: {container: prometheus-quant}
app:
  run_dir: /var/lib/prometheus-quant/runs/run_*
  required: [run_manifest.json, execution_fingerprint.json]
  require: {/mode: okx_demo_api}
  stop_file: /etc/prometheus-quant/STOP
phases: {baseline: 64s, inject: 85s, recovery: 60s}
faults:
  - blackhole: {}      # docker network disconnect / connect
    match: all
gates:
  - error_count: {min_increase: 1}
labels: {incident: INCIDENT-20251223}
)";

class SeedDrill {
 public:
  Evidence build() {
    frame();
    calls();
    samples();
    snapshots();
    manifest();
    return std::move(evidence_);
  }

 private:
  static constexpr std::int64_t kMonotonicStart = 1000 * kSecond;
  static std::int64_t utc(std::string_view text) { return parse_utc(text).value(); }
  static std::int64_t offset() { return utc("2025-12-23T01:57:49.709738Z") - kMonotonicStart; }
  static std::int64_t at(std::string_view text) { return utc(text) - offset(); }

  const std::int64_t baseline_ = at("2025-12-23T01:57:55Z"), inject_ = at("2025-12-23T01:58:59Z"),
                     recovery_ = at("2025-12-23T02:00:24Z"), stop_ = at("2025-12-23T02:00:54.540096Z"),
                     end_ = at("2025-12-23T02:00:55Z");

  void frame() {
    evidence_.windows = {{BROWNOUT_PHASE_BASELINE, {baseline_, inject_, true}},
                         {BROWNOUT_PHASE_INJECT, {inject_, recovery_, true}},
                         {BROWNOUT_PHASE_RECOVERY, {recovery_, stop_, false}}};
    evidence_.ending = events::Ending::kStopFile;
    evidence_.ending_detail = "/etc/prometheus-quant/STOP";
    evidence_.clocks = {{kMonotonicStart, offset(), 0, 200}, {end_, offset() + 900, 0, 200}};
    evidence_.longest_sampling_gap_ns = 104 * kMillisecond;
    evidence_.cleanup_recorded = true;
    evidence_.run_files = events::RunFiles{.before = {{.path = "run_manifest.json", .size = 310}},
                                           .after = {{.path = "execution_fingerprint.json", .size = 69},
                                                     {.path = "run_manifest.json", .size = 402}}};
  }

  void calls() {
    for (const char* started : {"2025-12-23T01:58:04Z", "2025-12-23T01:58:21Z", "2025-12-23T01:58:43Z"}) {
      brownout_event call{};
      call.kind = BROWNOUT_EVENT_CALL;
      call.flags = kOurs | BROWNOUT_EVENT_TLS;
      call.flow = demo_flow(443);
      call.phase = BROWNOUT_PHASE_BASELINE;
      call.pid = 4242;
      call.sequence = evidence_.kernel_events.size() + 1;
      call.call_start_ns = static_cast<std::uint64_t>(at(started));
      call.duration_ns = 212 * kMillisecond;
      call.t_mono_ns = call.call_start_ns + call.duration_ns;
      call.srtt_us = 204'000;
      evidence_.kernel_events.push_back({call, {}});
    }
  }

  std::uint32_t phase_at(std::int64_t t) const {
    if (t < baseline_) return BROWNOUT_PHASE_WAITING;
    if (t < inject_) return BROWNOUT_PHASE_BASELINE;
    return t <= recovery_ ? BROWNOUT_PHASE_INJECT : BROWNOUT_PHASE_RECOVERY;
  }

  void samples() {
    std::int64_t before = 0;
    for (auto t = baseline_; t < end_; t += 5 * kSecond) {
      sample(t, before);
      for (const auto edge : {inject_, recovery_})
        if (edge > t && edge < t + 5 * kSecond) sample(edge, t);
      before = evidence_.counters.back().t_mono_ns;
    }
    sample(end_, before);
  }

  void sample(std::int64_t t, std::int64_t before) {
    events::CounterSample sample;
    sample.t_mono_ns = t;
    sample.phase = phase_at(t);
    for (const auto& [call, ref] : evidence_.kernel_events) {
      const auto ended = static_cast<std::int64_t>(call.t_mono_ns);
      if (ended > t) continue;
      ++sample.trace.events_attempted;
      ++sample.trace.events_written;
      ++sample.trace.calls_started[1];
      ++sample.trace.calls_completed[1];
      if (ended > before)
        sample.histogram.push_back(
            {call.phase, static_cast<std::uint32_t>(kernel::histogram_bucket(call.duration_ns / 1000)), 1});
    }
    sample.injecting = t >= inject_ && t <= recovery_;
    if (sample.injecting) sample.faults.assign(2, {});
    sample.has_drop_witness = sample.injecting;
    sample.host_device.rx_packets = sample.container_device.tx_packets = 41;
    sample.container_device.rx_packets = sample.host_device.tx_packets = 38;
    sample.snmp = {{"Tcp.RetransSegs", 0}, {"TcpExt.TCPTimeouts", 0}};
    evidence_.counters.push_back(std::move(sample));
  }

  // "execution_fingerprint.json not found yet", and what stands in it at the end.
  void snapshots() {
    evidence_.snapshots.push_back({.t_mono_ns = baseline_ + 50 * kMillisecond});
    events::Snapshot last;
    last.t_mono_ns = end_ - 100 * kMillisecond;
    last.previous_look_ns = last.t_mono_ns - 100 * kMillisecond;
    last.status = events::SnapshotStatus::kRead;
    last.api_calls = last.orders_sent = 3;
    last.error_count = 0;
    last.counters = nlohmann::json::object();
    last.body = R"({"api_calls":3,"orders_sent":3,"error_count":0,"error_events":[]})";
    last.size = last.body->size();
    last.sha256 = sha256(*last.body);
    evidence_.snapshots.push_back(std::move(last));
  }

  void manifest() {
    const nlohmann::json started{{"run_id", "run_20251223_015749_unknown"}, {"mode", "okx_demo_api"},
                                 {"git_commit", "unknown"}, {"docker_image_tag", "unknown"},
                                 {"start_time", "2025-12-23T01:57:49.709738Z"}};
    auto ended = started;
    ended.update({{"status", "interrupted"}, {"stop_detected", true}, {"stop_reason", "stop_file"},
                  {"stop_time", "2025-12-23T02:00:54.540096Z"}, {"end_time", "2025-12-23T02:00:54.545258Z"}});
    const auto add = [this](std::int64_t t, events::TimelineEntry entry) {
      entry.t_mono_ns = t;
      evidence_.timeline.push_back(std::move(entry));
    };
    add(stop_, events::timeline::stop("stop_file", "/etc/prometheus-quant/STOP"));
    add(end_, events::timeline::app_manifest("end", ended));
  }

  Evidence evidence_;
};

}  // namespace brownout::test
