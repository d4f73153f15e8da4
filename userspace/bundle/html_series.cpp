// SPDX-License-Identifier: MIT
// What the plots are drawn from: a value for each bin of the axis.
#include <cmath>
#include <map>
#include <numeric>

#include "brownout/latency_histogram.hpp"
#include "html_sections.hpp"

namespace brownout::bundle {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kHit = 1; // index of the pairs in brownout_trace_counters

double growth(std::uint64_t from, std::uint64_t to) { return to > from ? static_cast<double>(to - from) : 0; }

// Three digits behind the point are more than a plot shows.
Json rounded(const std::optional<double>& value) {
  return value ? Json(std::round(*value * 1e3) / 1e3) : Json(nullptr);
}

struct Packets { double planned_drops = 0, dropped = 0, delays_decided = 0, delayed = 0; };

class Series {
 public:
  Series(const ReportInputs& inputs, const Axis& axis) : inputs_(inputs), axis_(axis) {}

  Json json() {
    for (std::size_t bin = 0; bin < axis_.bins(); ++bin) {
      times_.push_back(axis_.second(std::midpoint(axis_.start(bin).t_mono_ns, axis_.end(bin).t_mono_ns)));
      add_calls(bin);
      add_packets(bin);
      add_latency(bin);
      add_fingerprint(bin);
    }
    add_failures();
    return {{"t", times_}, {"plots", plots_}};
  }

 private:
  void push(const char* plot, std::string_view label, Json value) {
    auto& series = plots_[plot][std::string{label}];
    if (series.is_null()) series = Json::array();
    series.push_back(std::move(value));
  }
  void push_rate(const char* plot, std::string_view label, std::size_t bin, double count) {
    push(plot, label, rounded(count / axis_.seconds(bin)));
  }

  void add_calls(std::size_t bin) {
    const auto& from = axis_.start(bin).trace;
    const auto& to = axis_.end(bin).trace;
    push_rate("calls", "answered", bin, growth(from.calls_completed[kHit], to.calls_completed[kHit]));
    push_rate("calls", "failed", bin, growth(from.calls_failed[kHit], to.calls_failed[kHit]));
    push("calls", "in flight", rounded(growth(to.calls_completed[kHit] + to.calls_failed[kHit], to.calls_started[kHit])));
  }

  Packets packets(std::size_t bin) const {
    const auto& from = axis_.start(bin).faults;
    const auto& to = axis_.end(bin).faults;
    Packets sum;
    for (std::size_t i = 0; i < to.size() && i / BROWNOUT_DIRECTIONS < inputs_.plan.faults.size(); ++i) {
      const auto& fault = inputs_.plan.faults[i / BROWNOUT_DIRECTIONS];
      const auto before = i < from.size() ? from[i] : brownout_fault_counters{};
      const auto applied = growth(before.applied.packets, to[i].applied.packets);
      if (fault.abi.kind == BROWNOUT_FAULT_LATENCY) {
        sum.delays_decided += growth(before.decided.packets, to[i].decided.packets);
        sum.delayed += applied;
      } else {
        sum.planned_drops += growth(before.matched.packets, to[i].matched.packets) * fault.rate;
        sum.dropped += applied;
      }
    }
    return sum;
  }

  void add_packets(std::size_t bin) {
    const auto sum = packets(bin);
    push_rate("packets", "delays decided", bin, sum.delays_decided);
    push_rate("packets", "delayed", bin, sum.delayed);
    push_rate("packets", "drops planned", bin, sum.planned_drops);
    push_rate("packets", "dropped", bin, sum.dropped);
  }

  void add_latency(std::size_t bin) {
    findings::LatencyHistogram histogram;
    const auto [first, last] = axis_.samples(bin);
    for (auto i = first; i <= last; ++i)
      for (const auto& bucket : inputs_.evidence.counters[i].histogram) histogram.add(bucket.bucket, bucket.count);
    push("latency", "p50", rounded(histogram.quantile_ms(0.5)));
    push("latency", "p95", rounded(histogram.quantile_ms(0.95)));
    push("latency", "max", rounded(histogram.quantile_ms(1)));
    push("latency", "planned median", rounded(planned_median(bin)));
    const auto& trips = inputs_.findings.round_trips;
    push("round_trip", "p50", rounded(bin < trips.size() ? trips[bin].p50_ms : std::nullopt));
    push("round_trip", "p95", rounded(bin < trips.size() ? trips[bin].p95_ms : std::nullopt));
  }

  // The baseline's, with the delay on top that the plan adds to a round trip.
  std::optional<double> planned_median(std::size_t bin) const {
    const auto baseline = inputs_.findings.calls.find(BROWNOUT_PHASE_BASELINE);
    const auto window = inputs_.evidence.windows.find(BROWNOUT_PHASE_INJECT);
    const auto added = plan::expected_round_trip(inputs_.plan).delay_ns;
    if (added == 0 || baseline == inputs_.findings.calls.end() || !baseline->second.p50_ms ||
        window == inputs_.evidence.windows.end() || axis_.end(bin).t_mono_ns <= window->second.start_ns ||
        axis_.start(bin).t_mono_ns >= window->second.end_ns)
      return std::nullopt;
    return *baseline->second.p50_ms + static_cast<double>(added) / 1e6;
  }

  // As they stood in the version that was read last.
  void add_fingerprint(std::size_t bin) {
    if (!inputs_.plan.drill.app) return;
    const auto& snapshots = inputs_.evidence.snapshots;
    for (; next_ < snapshots.size() && snapshots[next_].t_mono_ns <= axis_.end(bin).t_mono_ns; ++next_)
      if (snapshots[next_].status == events::SnapshotStatus::kRead) read_ = &snapshots[next_];
    const auto shown = [this](const std::optional<std::int64_t> events::Snapshot::* counter) {
      return read_ != nullptr && read_->*counter ? Json(*(read_->*counter)) : Json(nullptr);
    };
    push("fingerprint", "api_calls", shown(&events::Snapshot::api_calls));
    push("fingerprint", "orders_sent", shown(&events::Snapshot::orders_sent));
    push("fingerprint", "error_count", shown(&events::Snapshot::error_count));
  }

  void add_failures() {
    std::map<std::string_view, std::vector<std::int64_t>> by_kind;
    for (const auto& failure : inputs_.findings.failures)
      by_kind[events::event_kind_name(failure.event.kind)].push_back(failure.t_mono_ns);
    std::vector<std::int64_t> recorded;
    for (const auto& error : inputs_.findings.app_errors) recorded.push_back(error.latest_ns);
    auto& plot = plots_["failures"] = Json::object();
    for (const auto& [kind, times] : by_kind) plot[std::string{kind}] = axis_.count(times);
    if (inputs_.plan.drill.app) plot["recorded by the app"] = axis_.count(recorded);
  }

  const ReportInputs& inputs_;
  const Axis& axis_;
  Json times_ = Json::array(), plots_ = Json::object();
  std::size_t next_ = 0;
  const events::Snapshot* read_ = nullptr;
};

}  // namespace

Json html_series(const ReportInputs& inputs, const Axis& axis) { return Series{inputs, axis}.json(); }

}  // namespace brownout::bundle
