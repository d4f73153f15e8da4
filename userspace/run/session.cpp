// SPDX-License-Identifier: MIT
// The loop: everything that happens while the drill waits for something.
#include "session.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "target_lock.hpp"

namespace brownout::run {
namespace {

// The tracer's wait is the loop's tick: far below a quarter of the shortest heartbeat limit.
constexpr std::chrono::milliseconds kTick{20};
constexpr std::int64_t kSlowLook = kNsPerSecond;
// With the time between two syncs, less than the second within which events are on disk.
constexpr std::int64_t kFlushEvery = kNsPerSecond / 5;
constexpr std::int64_t kClockMoved = kNsPerSecond / 20;

}  // namespace

Session::Session(const Setup& setup)
    : plan_(setup.plan),
      target_(setup.target),
      interface_(setup.interface),
      means_(setup.means),
      journal_(setup.journal),
      guardian_(setup.guardian),
      staging_(setup.staging),
      stop_(setup.stop),
      watch_(setup.watch),
      progress_(setup.progress),
      guards_(setup.plan, setup.target),
      live_(setup.plan),
      tell_events_(setup.tell_events),
      host_(setup.plan, setup.target, setup.interface, setup.staging) {}

Result<std::unique_ptr<Session>> Session::open(const Setup& setup) {
  std::unique_ptr<Session> session{new Session(setup)};
  BROWNOUT_ASSIGN(auto recorder, events::Recorder::open(setup.staging, setup.rules,
                                                       setup.plan.drill.capture.has_value()));
  session->recorder_ = events::redacting(std::move(recorder), drill::redactor_of(setup.plan.drill));
  const auto& pressure = setup.plan.drill.pressure;
  session->pressure_.emplace(pressure.min_calls, pressure.within.count());
  session->waiting_deadline_ns_ = monotonic_ns() + pressure.timeout.count();
  BROWNOUT_TRY(session->record_clock());
  BROWNOUT_TRY(session->record(events::timeline::target(target::to_json(setup.target))));
  BROWNOUT_TRY(session->record({.kind = "run_log", .fields = setup.run_log}));
  if (!setup.run_log.at("run").is_null())
    BROWNOUT_TRY(session->record_action("write run log", setup.run_log.at("path").get<std::string>(), "ok"));
  BROWNOUT_TRY(session->record_action("write journal", setup.journal.path().string(), "ok"));
  BROWNOUT_TRY(session->record_action("lock target", TargetLock::path_for(setup.target).string(), "ok"));
  BROWNOUT_TRY(session->record_action("make directory for evidence", setup.staging.string(), "ok"));
  BROWNOUT_TRY(session->record_action("start guardian", fmt::format("pid {}", setup.guardian.pid()), "ok"));
  return session;
}

Result<Session::Waited> Session::pump_until(const Condition& done, const StepNow& step) {
  while (true) {
    BROWNOUT_TRY(pump());
    if (stopped_) return Waited::kStopped;
    if (done()) return Waited::kDone;
    if (progress_.due(monotonic_ns())) show(step());
  }
}

Result<Session::Waited> Session::pump_for(std::int64_t duration_ns) {
  const std::int64_t begun = monotonic_ns(), end = begun + duration_ns;
  return pump_until([end] { return monotonic_ns() >= end; },
                    [begun, end] { return Step{.begun_ns = begun, .ends_ns = end}; });
}

void Session::show(const Step& step) { progress_.show(live_.state(phase_, step, monotonic_ns())); }

Result<> Session::pump() {
  if (injecting_) injector_->beat();
  BROWNOUT_TRY(take_events());
  BROWNOUT_TRY(take_snapshots());
  const std::int64_t now = monotonic_ns();
  if (const auto left_out = event_budget_.left_out(now)) progress_.note(*left_out);
  if (tracer_) {
    const auto totals = tracer_->counters();
    pressure_->observe(now, totals.calls_completed[1]);
    live_.see(totals, now);
  }
  if (now >= next_counters_ns_) BROWNOUT_TRY(take_counters());
  if (now >= next_flush_ns_) {
    next_flush_ns_ = now + kFlushEvery;
    BROWNOUT_TRY(recorder_->flush());
  }
  if (now >= next_slow_look_ns_) {
    next_slow_look_ns_ = now + kSlowLook;
    BROWNOUT_TRY(record_moved_clock());
    if (run_directory_ && !run_changed_ && run_directory_->newer_run_exists()) {
      run_changed_ = true;
      progress_.note("a newer run directory has appeared: what the app records now is not in this drill's evidence");
      BROWNOUT_TRY(record(events::timeline::run_changed(run_directory_->path().string())));
    }
  }
  BROWNOUT_TRY(take_guards());
  BROWNOUT_TRY(take_target());
  return take_stop();
}

Result<> Session::take_events() {
  Result<> recorded;
  const auto sink = [&](const brownout_event& event) {
    if (!recorded) return;
    if (event.phase == BROWNOUT_PHASE_INJECT && event.call_start_ns != 0) {
      last_window_call_end_ns_ = std::max(last_window_call_end_ns_, static_cast<std::int64_t>(event.t_mono_ns));
      longest_call_ns_ = std::max(longest_call_ns_, static_cast<std::int64_t>(event.duration_ns));
    }
    recorded = recorder_->record(event);
    if (recorded) recorded = record_names(names_.read(event));
    live_.see(event);
    if (tell_events_) tell_event(event);
  };
  if (tracer_) {
    BROWNOUT_TRY(tracer_->consume(kTick, sink));
    BROWNOUT_TRY(tracer_->consume_payloads([&](const brownout_payload& payload) {
      if (recorded) recorded = record_names(names_.read(payload));
    }));
  } else {
    std::this_thread::sleep_for(kTick);  // nothing is attached yet: only the run directory is looked for
  }
  BROWNOUT_TRY(take_packets());
  return recorded;
}

Result<> Session::take_packets() {
  if (!injector_) return {};
  Result<> recorded;
  BROWNOUT_TRY(injector_->consume_captures([&](const brownout_capture_record& packet) {
    if (recorded) recorded = recorder_->record(events::packet_record(packet));
  }));
  return recorded;
}

void Session::tell_event(const brownout_event& event) {
  if (event_budget_.admits(monotonic_ns())) progress_.event(event_text(event, live_.name_of(event), clock_offset_ns_));
}

Result<> Session::record_names(const std::vector<events::NameRecord>& names) {
  for (const auto& name : names) {
    live_.see(name);
    BROWNOUT_TRY(recorder_->record(name));
  }
  return {};
}

Result<> Session::take_snapshots() {
  if (!app_) return {};
  for (const auto& snapshot : app_->take()) {
    guards_.see(snapshot);
    live_.see(snapshot);
    BROWNOUT_TRY(recorder_->record(snapshot));
  }
  for (const auto& gate : live_.turned()) progress_.note(gate);
  return {};
}

Result<> Session::take_counters() {
  next_counters_ns_ = monotonic_ns() + kNsPerSecond;
  if (!counters_) return {};
  const auto sample = counters_->sample(phase_);
  live_.see(sample);
  BROWNOUT_TRY(recorder_->record(sample));
  return recorder_->flush();
}

Result<> Session::take_stop() {
  if (stopped_) return {};
  const auto& request = stop_.check();
  if (!request) return {};
  const bool by_file = request->source == StopRequest::Source::kStopFile;
  return stop_because(by_file ? events::Ending::kStopFile : events::Ending::kSignal, by_file ? "stop_file" : "signal",
                      request->detail);
}

Result<> Session::take_target() {
  if (stopped_ || target_may_go_ || !watch_.gone()) return {};
  return stop_because(events::Ending::kTargetGone, "target", *watch_.gone());
}

Result<> Session::take_guards() {
  if (stopped_ || !injecting_ || phase_ != BROWNOUT_PHASE_INJECT) return {};
  const auto breach = guards_.look(injector_->counters(), tracer_->counters().calls_completed[1]);
  if (!breach) return {};
  return stop_because(breach->ending, breach->ending == events::Ending::kCapReached ? "cap" : "abort_when",
                      breach->detail);
}

Result<> Session::stop_because(events::Ending ending, const char* source, const std::string& detail) {
  stopped_ = true;
  // The fault goes first; only then is anything written down.
  const std::int64_t seen = monotonic_ns();
  const auto undone = stop_injection();
  ending_ = ending;
  ending_detail_ = detail;
  progress_.note(fmt::format("stopping: {} ({})", source, detail));
  auto entry = events::timeline::stop(source, detail);
  entry.t_mono_ns = seen;
  BROWNOUT_TRY(record(std::move(entry)));
  return undone;
}

Result<> Session::start_phase(brownout_phase phase) {
  if (!phase_open_) BROWNOUT_TRY(list_in_flight());
  BROWNOUT_TRY(end_phase());
  phase_ = phase;
  phase_open_ = true;
  if (tracer_) tracer_->set_phase(phase);
  if (app_) app_->set_phase(phase);
  BROWNOUT_TRY(record(events::timeline::phase(phase, "start")));
  return take_counters();
}

Result<> Session::end_phase() {
  if (!phase_open_) return {};
  phase_open_ = false;
  BROWNOUT_TRY(list_in_flight());
  BROWNOUT_TRY(take_counters());
  return record(events::timeline::phase(phase_, stopped_ ? "cut" : "end"));
}

// Where the kernel has no iterator over sockets, the counters still say how many.
Result<> Session::list_in_flight() {
  if (!tracer_ || in_flight_unlisted_) return {};
  auto listed = tracer_->list_in_flight();
  if (listed) return {};
  in_flight_unlisted_ = true;
  return record(events::timeline::not_observed({"which calls are under way between phases: " + listed.error().render()}));
}

Result<bool> Session::end_with(events::Ending ending, const std::string& detail) {
  ending_ = ending;
  ending_detail_ = detail;
  progress_.note(detail);
  return false;
}

Result<> Session::record(events::TimelineEntry entry) {
  if (entry.t_mono_ns == 0) entry.t_mono_ns = monotonic_ns();
  return recorder_->record(entry);
}

Result<> Session::record_action(const std::string& what, const std::string& object, const std::string& result) {
  return record(events::timeline::action(what, object, result));
}

Result<> Session::record_clock() {
  const auto offsets = read_clock_offsets();
  clock_offset_ns_ = offsets.realtime_offset_ns;
  return record(events::timeline::clock(offsets));
}

// A clock that is set and set back is right at both ends.
Result<> Session::record_moved_clock() {
  const auto moved = std::llabs(read_clock_offsets().realtime_offset_ns - clock_offset_ns_);
  return moved < kClockMoved ? Result<>{} : record_clock();
}

Result<> Session::record_manifest(const std::string& when) {
  auto manifest = run_directory_->manifest();
  return record(events::timeline::app_manifest(
      when, manifest ? std::move(*manifest) : nlohmann::json{{"unreadable", manifest.error().render()}}));
}

Step Session::pressure_step(std::int64_t begun_ns) const {
  return {.doing = fmt::format("pressure, {} of {} calls within {}", pressure_->completed_within(), pressure_->wanted(),
                               human_duration(pressure_->within_ns())),
          .begun_ns = begun_ns,
          .ends_ns = waiting_deadline_ns_,
          .gives_up = true};
}

}  // namespace brownout::run
