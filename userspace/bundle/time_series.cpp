// SPDX-License-Identifier: MIT
#include "time_series.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/clock.hpp"

namespace brownout::bundle {
namespace {

using Line = nlohmann::ordered_json;

constexpr int kHit = 1; // index of the pairs in brownout_trace_counters

std::uint64_t growth(std::uint64_t from, std::uint64_t to) { return to > from ? to - from : 0; }

// What lies in (since, until], of times that are sorted: the spans follow each other.
class Counted {
 public:
  explicit Counted(std::vector<std::int64_t> times) : times_(std::move(times)) { std::ranges::sort(times_); }
  std::size_t until(std::int64_t t_ns) {
    const auto end = std::upper_bound(times_.begin() + next_, times_.end(), t_ns);
    const auto count = end - (times_.begin() + next_);
    next_ += count;
    return static_cast<std::size_t>(count);
  }

 private:
  std::vector<std::int64_t> times_;
  std::ptrdiff_t next_ = 0;
};

std::uint64_t applied(const plan::Plan& plan, const events::CounterSample& sample, int direction, bool latency) {
  std::uint64_t packets = 0;
  for (std::size_t i = 0; i < plan.faults.size(); ++i) {
    const auto index = i * BROWNOUT_DIRECTIONS + static_cast<std::size_t>(direction);
    if ((plan.faults[i].abi.kind == BROWNOUT_FAULT_LATENCY) == latency && index < sample.faults.size())
      packets += sample.faults[index].applied.packets;
  }
  return packets;
}

class TimeSeries {
 public:
  TimeSeries(const plan::Plan& plan, const events::Evidence& evidence, const findings::Findings& findings)
      : plan_(plan), evidence_(evidence), failures_(times(findings, false)), injected_(times(findings, true)),
        app_errors_(times(findings.app_errors)) {}

  std::string render() {
    std::string text;
    const events::CounterSample before{};
    for (std::size_t i = 0; i < evidence_.counters.size(); ++i) {
      const bool last = i + 1 == evidence_.counters.size();
      const auto line = line_of(i == 0 ? before : evidence_.counters[i - 1], evidence_.counters[i], last);
      text += line.dump(-1, ' ', false, Line::error_handler_t::replace) + "\n";
    }
    return text;
  }

 private:
  static std::vector<std::int64_t> times(const findings::Findings& findings, bool injected_only) {
    std::vector<std::int64_t> all;
    for (const auto& failure : findings.failures)
      if (failure.injected || !injected_only) all.push_back(failure.t_mono_ns);
    return all;
  }
  static std::vector<std::int64_t> times(const std::vector<findings::AppErrorFinding>& errors) {
    std::vector<std::int64_t> all;
    for (const auto& error : errors) all.push_back(error.latest_ns);
    return all;
  }

  Line line_of(const events::CounterSample& from, const events::CounterSample& to, bool last) {
    const auto until = last ? std::numeric_limits<std::int64_t>::max() : to.t_mono_ns;
    return {{"t_mono_ns", to.t_mono_ns},
            {"utc", format_utc(events::to_realtime_ns(evidence_, to.t_mono_ns))},
            {"phase", events::phase_name(to.phase)},
            {"calls", calls(from.trace, to.trace)},
            {"failures", {{"all", failures_.until(until)}, {"injected", injected_.until(until)}}},
            {"dropped", packets(from, to, false)},
            {"delayed", packets(from, to, true)},
            {"app_errors", app_errors_.until(until)},
            {"fingerprint", fingerprint_at(to.t_mono_ns)}};
  }

  static Line calls(const brownout_trace_counters& from, const brownout_trace_counters& to) {
    return {{"started", growth(from.calls_started[kHit], to.calls_started[kHit])},
            {"completed", growth(from.calls_completed[kHit], to.calls_completed[kHit])},
            {"failed", growth(from.calls_failed[kHit], to.calls_failed[kHit])}};
  }

  Line packets(const events::CounterSample& from, const events::CounterSample& to, bool latency) const {
    const auto of = [&](int direction) {
      return growth(applied(plan_, from, direction, latency), applied(plan_, to, direction, latency));
    };
    return {{"egress", of(BROWNOUT_EGRESS)}, {"ingress", of(BROWNOUT_INGRESS)}};
  }

  // As they stood in the version that was read last.
  Line fingerprint_at(std::int64_t t_ns) {
    for (; next_ < evidence_.snapshots.size() && evidence_.snapshots[next_].t_mono_ns <= t_ns; ++next_)
      if (evidence_.snapshots[next_].status == events::SnapshotStatus::kRead) read_ = &evidence_.snapshots[next_];
    if (read_ == nullptr) return nullptr;
    const auto shown = [](const std::optional<std::int64_t>& value) { return value ? Line(*value) : Line(nullptr); };
    return {{"api_calls", shown(read_->api_calls)},
            {"orders_sent", shown(read_->orders_sent)},
            {"error_count", shown(read_->error_count)}};
  }

  const plan::Plan& plan_;
  const events::Evidence& evidence_;
  Counted failures_, injected_, app_errors_;
  std::size_t next_ = 0;
  const events::Snapshot* read_ = nullptr;
};

}  // namespace

std::string render_time_series(const plan::Plan& plan, const events::Evidence& evidence,
                               const findings::Findings& findings) {
  return TimeSeries{plan, evidence, findings}.render();
}

}  // namespace brownout::bundle
