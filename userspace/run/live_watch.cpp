// SPDX-License-Identifier: MIT
#include "live_watch.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "brownout/clock.hpp"

namespace brownout::run {
namespace {

constexpr std::uint32_t kOurs = BROWNOUT_EVENT_HIT | BROWNOUT_EVENT_APP;
constexpr int kHit = 1;  // index of the pairs in brownout_trace_counters

std::string figures_of(const kernel::DelayFigures& delays) {
  auto text = fmt::format("median {:.4g} ms, longest {:.4g} ms", static_cast<double>(delays.decided_p50_us) / 1e3,
                          static_cast<double>(delays.decided_max_us) / 1e3);
  if (delays.order_held > 0) text += fmt::format(", {} packets longer to keep their order", delays.order_held);
  return text;
}

std::uint64_t less(std::uint64_t all, std::uint64_t gone) { return all > gone ? all - gone : 0; }

}  // namespace

LiveWatch::LiveWatch(const plan::Plan& plan) : plan_(plan), redactor_(drill::redactor_of(plan.drill)), gates_(plan) {}

void LiveWatch::see(const brownout_event& event) {
  const bool of_call = (event.flags & BROWNOUT_EVENT_CALL_FAILED) != 0;
  const bool of_lookup = event.kind == BROWNOUT_EVENT_DNS_UNANSWERED || event.kind == BROWNOUT_EVENT_DNS_FAILED;
  if ((!of_call && !of_lookup) || event.kind >= failures_.size()) return;
  // What a lookup asks goes to a resolver, seldom over what the faults act on.
  const bool ours = of_lookup ? (event.flags & BROWNOUT_EVENT_APP) != 0 : (event.flags & kOurs) == kOurs;
  ++(ours ? failures_[event.kind] : failures_elsewhere_);
}

void LiveWatch::see(const events::NameRecord& name) {
  if (name.address.empty() || name.source == events::NameSource::kDnsQuestion) return;
  const auto found = names_.find(name.address);
  if (found == names_.end() && names_.size() >= kMostNames) return;
  names_.insert_or_assign(name.address, redactor_.text(name.name));
}

void LiveWatch::see(const events::Snapshot& snapshot) { gates_.see(snapshot); }

void LiveWatch::see(const events::CounterSample& sample) {
  if (!sample.injecting) return;
  inject_ = sample.inject;
  faults_ = sample.faults;
  delays_ = sample.delays;
}

void LiveWatch::see(const brownout_trace_counters& totals, std::int64_t now_ns) {
  tracing_ = true;
  totals_ = totals;
  points_.push_back({now_ns, totals.calls_completed[kHit]});
  while (points_.size() > 2 && points_[1].t_ns <= now_ns - kNsPerSecond) points_.pop_front();
}

void LiveWatch::begin_faults() {
  armed_ = true;
  gates_.begin();
}

std::string LiveWatch::name_of(const brownout_event& event) const {
  if (names_.empty()) return {};
  const auto found = names_.find(events::address_text(event.flow.peer_address));
  return found == names_.end() ? std::string{} : found->second;
}

LiveState LiveWatch::state(std::uint32_t phase, const Step& step, std::int64_t now_ns) const {
  LiveState state{.phase = std::string(events::phase_name(phase)),
                  .doing = step.doing,
                  .elapsed_ns = step.begun_ns == 0 ? 0 : now_ns - step.begun_ns,
                  .gives_up = step.gives_up};
  if (step.ends_ns != 0) state.left_ns = std::max<std::int64_t>(0, step.ends_ns - now_ns);
  if (tracing_) add_calls(state);
  state.armed = armed_;
  add_injected(state);
  if (armed_) add_caps(state);
  state.app = gates_.counters();
  state.gates = gates_.gates();
  return state;
}

void LiveWatch::add_calls(LiveState& state) const {
  state.tracing = true;
  const auto& last = points_.back();
  if (const auto& first = points_.front(); last.t_ns > first.t_ns)
    state.calls_per_second = static_cast<double>(last.completed - first.completed) * kNsPerSecond /
                             static_cast<double>(last.t_ns - first.t_ns);
  state.completed = totals_.calls_completed[kHit];
  state.failed = totals_.calls_failed[kHit];
  state.in_flight = less(totals_.calls_started[kHit], state.completed + state.failed);
  for (std::uint32_t kind = 0; kind < failures_.size(); ++kind)
    if (failures_[kind] > 0) state.failures.emplace_back(events::event_kind_name(kind), failures_[kind]);
  std::ranges::stable_sort(state.failures, std::ranges::greater{}, &std::pair<std::string, std::uint64_t>::second);
  state.failures_elsewhere = failures_elsewhere_;
  const auto lost = [&state](const char* what, std::uint64_t count) {
    if (count > 0) state.lost.emplace_back(what, count);
  };
  lost("failures", totals_.failures_lost);
  lost("details", totals_.details_lost);
  lost("names", totals_.payloads_lost);
  lost("runs of programs", totals_.programs_missed);
  lost("sockets not followed", totals_.storage_failed);
}

void LiveWatch::add_injected(LiveState& state) const {
  for (const auto& planned : plan_.faults) {
    LiveState::Fault fault{.label = planned.label,
                           .delays = planned.abi.kind == BROWNOUT_FAULT_LATENCY,
                           .planned_rate = planned.rate};
    for (const int direction : planned.directions) {
      const auto at = planned.index * BROWNOUT_DIRECTIONS + static_cast<std::size_t>(direction);
      if (at >= faults_.size()) continue;
      fault.matched += faults_[at].matched.packets;
      fault.decided += faults_[at].decided.packets;
      fault.applied += faults_[at].applied.packets;
      if (!fault.delays) state.dropped += faults_[at].applied.segments;
    }
    state.faults.push_back(std::move(fault));
  }
  for (const auto& redirected : inject_.redirected) state.delayed += redirected.segments;
  constexpr std::array kNames{"egress", "ingress"};
  for (std::size_t direction = 0; direction < BROWNOUT_DIRECTIONS; ++direction)
    if (delays_[direction].packets > 0) state.delays.emplace_back(kNames[direction], figures_of(delays_[direction]));
}

void LiveWatch::add_caps(LiveState& state) const {
  const auto& caps = plan_.drill.caps;
  std::uint64_t bytes = 0;
  for (const auto& redirected : inject_.redirected) bytes += redirected.bytes;
  for (const auto& planned : plan_.faults)
    for (const int direction : planned.directions)
      if (const auto at = planned.index * BROWNOUT_DIRECTIONS + static_cast<std::size_t>(direction);
          planned.abi.kind != BROWNOUT_FAULT_LATENCY && at < faults_.size())
        bytes += faults_[at].applied.bytes;
  const auto add = [&](const char* unit, brownout_cap cap, std::uint64_t most, std::optional<std::uint64_t> used) {
    if (most > 0) state.caps.push_back({.unit = unit, .used = used, .most = most, .reached = inject_.capped[cap] > 0});
  };
  add("packets", BROWNOUT_CAP_PACKETS, caps.max_packets, state.dropped + state.delayed);
  add("bytes", BROWNOUT_CAP_BYTES, caps.max_bytes, bytes);
  // Which flows were met is in the kernel's own table alone.
  add("connections", BROWNOUT_CAP_CONNECTIONS, caps.max_connections, std::nullopt);
}

}  // namespace brownout::run
