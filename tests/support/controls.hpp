// SPDX-License-Identifier: MIT
// Drills of which it is known what may be said of them: evidence drawn at random, by class and seed.
#pragma once

#include <array>
#include <random>
#include <string>

#include <fmt/format.h>

#include "bundle_fixture.hpp"

namespace brownout::test {

enum class ControlClass : std::uint8_t {
  kNoFault,          // the injector matches nothing, drops nothing, delays nobody, or was halted
  kUnrelatedOutage,  // the peer fails by itself
  kOtherFlows,       // calls fail, on flows that no fault matches
  kBlind,            // the app records at most a tenth of its failures
  kPartial,          // it records three to seven tenths
  kMild,             // no call fails
  kClockStep,        // the wall clock is set, or set and set back
  kLossyTrace,       // failures were lost in the ring, counted or not
  kRestart,          // the app is started again
  kRecorded,         // a true positive: the app records everything
  kCopes,            // max_increase, retries that absorb: within the limit
  kDoesNotCope,      // max_increase, beyond the limit
  kCount,
};
inline constexpr std::array kControlNames{
    "no fault", "unrelated outage", "other flows", "blind app", "partly blind app", "mild fault", "clock step",
    "lossy trace", "restart", "recorded", "copes", "does not cope"};

struct Control {
  std::string drill;
  EvidenceBuilder builder;
  // What would be false of it. A blind app is to FAIL, as is one that does not cope; a recorded drill is to PASS.
  bool pass_is_false = true, fail_is_false = true;

  plan::Plan plan() const { return value_of(plan::compile(value_of(drill::parse(drill, "drill.yaml")), 7)); }
};

class ControlGenerator {
 public:
  ControlGenerator(ControlClass of, std::uint64_t seed) : class_(of), random_(seed * 64 + static_cast<std::uint64_t>(of)) {}

  Control generate() {
    control_.drill = kFixtureDrill;
    failures_ = whole(10, 60);
    draw_traffic();
    draw_class();
    control_.builder.failures(failures_).irregular(random_());
    draw_records();
    if (happens(0.3)) add_foreign_errors();
    draw_last();
    return std::move(control_);
  }

 private:
  int whole(int low, int high) { return std::uniform_int_distribution{low, high}(random_); }
  double real(double low, double high) { return std::uniform_real_distribution{low, high}(random_); }
  bool happens(double probability) { return std::bernoulli_distribution{probability}(random_); }
  std::int64_t milliseconds(int low, int high) { return whole(low, high) * kMillisecond; }
  EvidenceBuilder& builder() { return control_.builder; }
  template <typename Change>
  void every_sample(Change change) {
    builder().then([change](Evidence& evidence) {
      for (auto& sample : evidence.counters) change(sample);
    });
  }

  void draw_traffic() {
    builder().matched_per_second(static_cast<std::uint64_t>(whole(60, 200))).drop_rate(real(0.072, 0.088));
    builder().rates(12, 6).recovery_rate(whole(11, 13)).window_call_ms(real(306, 314));
    constexpr std::array<std::uint32_t, 4> kSilent{BROWNOUT_EVENT_CLOSED_UNANSWERED, BROWNOUT_EVENT_CONNECT_ABANDONED,
                                                   BROWNOUT_EVENT_CONNECT_TIMEOUT, BROWNOUT_EVENT_KERNEL_GAVE_UP};
    builder().failure_kind(kSilent.at(static_cast<std::size_t>(whole(0, 3))));
  }

  void draw_class() {
    switch (class_) {
      case ControlClass::kNoFault: return draw_no_fault();
      case ControlClass::kUnrelatedOutage: return draw_outage();
      case ControlClass::kOtherFlows: builder().failures_hit(false); return;
      case ControlClass::kBlind: recorded_ = failures_ / whole(10, 100); control_.fail_is_false = false; return;
      case ControlClass::kPartial: recorded_ = static_cast<int>(failures_ * real(0.35, 0.7)); return;
      case ControlClass::kMild: failures_ = 0; return;
      case ControlClass::kLossyTrace: return draw_loss();
      case ControlClass::kRecorded: control_.pass_is_false = false; return;
      case ControlClass::kCopes: return draw_limit(whole(0, 20));
      case ControlClass::kDoesNotCope: return draw_limit(-whole(1, 3));
      default: return;
    }
  }

  void draw_no_fault() {
    switch (whole(0, 3)) {
      case 0:
        every_sample([](events::CounterSample& sample) { sample.faults.assign(4, {}); });
        return;
      case 1: builder().really_drops(false); return;
      case 2: builder().window_call_ms(real(8, 40)); return;
      default:
        builder().then([](Evidence& evidence) {
          for (auto& sample : evidence.counters)
            if (sample.t_mono_ns > kWindowStart + 2 * kSecond) sample.inject.heartbeat_stale[0] = 40;
        });
    }
  }

  // The peer refuses, resets or falls silent by itself, in the window and perhaps for good. What passes is delayed, as by
  // plan, which explains no refusal; of silence only what was injected on that very flow would.
  void draw_outage() {
    constexpr std::array<std::uint32_t, 3> kNo{BROWNOUT_EVENT_CONNECT_REFUSED, BROWNOUT_EVENT_RESET_RECEIVED,
                                               BROWNOUT_EVENT_PEER_CLOSED_UNANSWERED};
    builder().injected_on_flow(false);
    if (happens(0.7)) {
      builder().failure_kind(kNo.at(static_cast<std::size_t>(whole(0, 2))));
      error_type_ = "connection_error";
    }
    if (happens(0.5)) builder().recovery_rate(whole(0, 6));
    if (happens(0.3)) recorded_ = 0;
  }

  void draw_loss() {
    const int lost = whole(1, 20);
    const bool counted = happens(0.7);
    builder().then([lost, counted](Evidence& evidence) {
      int left = lost;
      std::erase_if(evidence.kernel_events, [&left](const KernelEvent& event) {
        return (event.raw.flags & BROWNOUT_EVENT_CALL_FAILED) != 0 && left-- > 0;
      });
      for (auto& sample : evidence.counters)
        if (counted && sample.t_mono_ns > kWindowStart + kSecond) {
          sample.trace.failures_lost = static_cast<std::uint64_t>(lost);
          sample.trace.events_written -= static_cast<std::uint64_t>(lost);
        }
    });
  }

  void draw_limit(int spare) {
    failures_ -= failures_ % 3;
    recorded_ = failures_ / 3;
    const int limit = std::max(1, recorded_ + spare);
    replace("error_count: {min_increase: 1}", fmt::format("error_count: {{max_increase: {}}}", limit));
    replace("  required:", "  retries: 2\n  required:");
    (spare < 0 ? control_.fail_is_false : control_.pass_is_false) = false;
  }

  void replace(std::string_view from, const std::string& to) {
    control_.drill.replace(control_.drill.find(from), from.size(), to);
  }

  // How the app writes down: late or early by a constant and jitter, with stamps or without, all of it or the latest.
  void draw_records() {
    builder().recorded(recorded_).stamped(happens(0.8)).stamp_shift(milliseconds(-500, 2000));
    builder().then([seed = random_(), type = error_type_, jitter = whole(0, 50)](Evidence& evidence) {
      std::mt19937_64 random{seed};
      for (auto& snapshot : evidence.snapshots)
        for (auto& error : snapshot.new_errors) {
          if (!type.empty()) error.type = error.exception_type = type;
          if (error.utc_ns) *error.utc_ns += std::uniform_int_distribution{-jitter, jitter}(random) * kMillisecond;
        }
    });
  }

  // Errors that are none of the network's, or of another peer, at a steady rate.
  void add_foreign_errors() {
    const bool network = happens(0.5);
    builder().then([network, every = whole(5, 12)](Evidence& evidence) {
      std::int64_t count = 0;
      for (std::size_t i = 0; i < evidence.snapshots.size(); ++i) {
        auto& snapshot = evidence.snapshots[i];
        if (i % static_cast<std::size_t>(every) == 0) {
          events::AppError error;
          error.index = 1000 + i;
          error.utc_ns = snapshot.t_mono_ns + kUtcOffset - 300 * kMillisecond;
          error.type = network ? "timeout" : "order_rejected";
          error.url = network ? "https://10.0.9.9:9443/" : "";
          error.ref = snapshot.ref;
          snapshot.new_errors.push_back(error);
          ++count;
        }
        *snapshot.error_count += count;
      }
    });
  }

  void draw_last() {
    if (class_ == ControlClass::kClockStep) draw_clock_step();
    if (class_ == ControlClass::kRestart) draw_restart();
  }

  void draw_clock_step() {
    const auto step = (happens(0.5) ? 1 : -1) * (happens(0.5) ? milliseconds(300, 3000) : whole(3, 7200) * kSecond);
    const auto at = kBaselineStart + milliseconds(0, 30'000);
    const auto back = happens(0.4) ? at + milliseconds(2000, 10'000) : INT64_MAX;
    builder().then([=](Evidence& evidence) {
      const auto offset = [=](std::int64_t t) { return t >= at && t < back ? step : 0; };
      evidence.clocks.back().realtime_offset_ns += offset(kSettleEnd);
      auto seen = evidence.clocks.front();  // the run looks every second, and writes down what moved
      seen.at_monotonic_ns = at + kSecond;
      seen.realtime_offset_ns += step;
      evidence.clocks.insert(evidence.clocks.begin() + 1, seen);
      for (auto& snapshot : evidence.snapshots)
        for (auto& error : snapshot.new_errors)
          if (error.utc_ns) *error.utc_ns += offset(*error.utc_ns - kUtcOffset);
    });
  }

  void draw_restart() {
    if (happens(0.3)) {
      builder().then([](Evidence& evidence) { evidence.run_changed = true; });
      return;
    }
    const auto at = kBaselineStart + milliseconds(1000, 35'000);
    builder().then([at](Evidence& evidence) {
      const events::Snapshot* before = nullptr;
      for (const auto& snapshot : evidence.snapshots)
        if (snapshot.t_mono_ns < at) before = &snapshot;
      const auto calls = *before->api_calls, errors = *before->error_count;
      for (auto& snapshot : evidence.snapshots)
        if (snapshot.t_mono_ns >= at) {
          *snapshot.api_calls -= calls;
          *snapshot.error_count -= errors;
        }
    });
  }

  ControlClass class_;
  std::mt19937_64 random_;
  Control control_;
  int failures_ = 0, recorded_ = 1'000'000;
  std::string error_type_;
};

}  // namespace brownout::test
