// SPDX-License-Identifier: MIT
// The straight line of a drill: run directory, pressure, baseline, window, recovery.
#include "session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "audit.hpp"
#include "brownout/clock.hpp"
#include "brownout/system_calls.hpp"
#include "brownout/text.hpp"
#include "privileges.hpp"

namespace brownout::run {
namespace {

constexpr std::int64_t kDefaultSettle = 5 * kNsPerSecond;
constexpr std::int64_t kDrainLimit = 5 * kNsPerSecond;

}  // namespace

// Before anything is attached: a manifest that is not the wanted one (a live account) must end the run untouched.
Result<bool> Session::wait_for_run_directory() {
  if (!plan_.drill.app) return true;
  std::optional<Error> refusal;
  std::string missing;
  std::int64_t next_look = 0;
  const auto found = [&] {
    if (monotonic_ns() < next_look) return false;
    next_look = monotonic_ns() + kNsPerSecond / 5;
    auto directory = events::RunDirectory::find(*plan_.drill.app, target_);
    if (directory) {
      run_directory_ = std::move(*directory);
    } else if (directory.error().code == ErrorCode::kNotFound) {
      missing = directory.error().what;
    } else {
      refusal = std::move(directory).error();
    }
    return run_directory_ || refusal || monotonic_ns() >= waiting_deadline_ns_;
  };
  const Step step{.doing = "the run directory " + plan_.drill.app->run_dir,
                  .begun_ns = monotonic_ns(),
                  .ends_ns = waiting_deadline_ns_,
                  .gives_up = true};
  BROWNOUT_ASSIGN(const auto waited, pump_until(found, [&step] { return step; }));
  if (refusal) return std::unexpected(std::move(*refusal));
  if (waited == Waited::kStopped) return false;
  if (!run_directory_) return end_with(events::Ending::kNoRunDirectory, "no run directory: " + missing);
  BROWNOUT_ASSIGN(files_before_, run_directory_->list());
  BROWNOUT_TRY(record_manifest("start"));
  progress_.note(fmt::format("run directory {}", run_directory_->path().string()));
  app_ = std::make_unique<AppWatch>(
      events::FingerprintSampler::create(*run_directory_, plan_.drill.app->fingerprint),
      drill::redactor_of(plan_.drill));
  return true;
}

Result<> Session::prepare() {
  const std::int64_t begun = monotonic_ns();
  BROWNOUT_TRY(look_at_host());
  BROWNOUT_ASSIGN(tracer_, kernel::Tracer::attach({.plan = plan_, .target = target_}));
  BROWNOUT_TRY(record_action("attach tracer", target_.cgroup_path.string(), "ok"));
  BROWNOUT_TRY(record(events::timeline::not_observed(tracer_->not_observed())));
  BROWNOUT_ASSIGN(injector_, kernel::Injector::load(
                                 {.plan = plan_,
                                  .interface = interface_,
                                  .tracer = *tracer_,
                                  .means = means_,
                                  .journal = &journal_}));
  counters_ = std::make_unique<CounterSampler>(target_, interface_, *tracer_, plan_.drill.capture.has_value());
  BROWNOUT_TRY(take_counters());
  // The verifier may take many seconds on a slow or busy host: nobody has waited for pressure in that time.
  waiting_deadline_ns_ += monotonic_ns() - begun;
  return {};
}

// What runs here, and how the host is, while nothing of ours is in it.
Result<> Session::look_at_host() {
  BROWNOUT_TRY(record({.kind = "audit", .fields = {{"facts", audit(plan_, target_, run_directory_.get())}}}));
  BROWNOUT_TRY(host_.before(run_directory_.get()));
  return host_.not_observed().empty() ? Result<>{} : record(events::timeline::not_observed(host_.not_observed()));
}

Result<bool> Session::wait_for_pressure() {
  if (!plan_.drill.pressure_required) return true;
  const std::int64_t begun = monotonic_ns();
  BROWNOUT_ASSIGN(const auto waited,
                  pump_until([this] { return pressure_->reached() || monotonic_ns() >= waiting_deadline_ns_; },
                             [this, begun] { return pressure_step(begun); }));
  BROWNOUT_TRY(record(events::timeline::pressure(pressure_->completed_within(), pressure_->wanted(),
                                                 pressure_->within_ns())));
  if (waited == Waited::kStopped) return false;
  if (!pressure_->reached())
    return end_with(events::Ending::kNoPressure,
                    fmt::format("no pressure: {} of {} completed calls within {}", pressure_->completed_within(),
                                pressure_->wanted(), format_duration(plan_.drill.pressure.within)));
  progress_.note(fmt::format("pressure reached: {} completed calls within {}", pressure_->completed_within(),
                             format_duration(plan_.drill.pressure.within)));
  return true;
}

Result<bool> Session::baseline() {
  BROWNOUT_TRY(start_phase(BROWNOUT_PHASE_BASELINE));
  progress_.note(fmt::format("baseline for {}", format_duration(plan_.drill.phases.baseline)));
  const std::uint64_t packets_before = packets_so_far();
  const std::int64_t begun = monotonic_ns();
  BROWNOUT_ASSIGN(const auto waited, pump_for(plan_.drill.phases.baseline.count()));
  packets_per_second_ = static_cast<double>(packets_so_far() - packets_before) * kNsPerSecond /
                        static_cast<double>(std::max<std::int64_t>(monotonic_ns() - begun, 1));
  BROWNOUT_TRY(end_phase());
  // What begins from here on, while calls are awaited again or programs attached, would give the baseline a rate that it
  // never had.
  tracer_->set_phase(BROWNOUT_PHASE_WAITING);
  if (waited == Waited::kStopped) return false;
  // Calls that were there at first may have ceased in the meantime: wait for them again, or give up.
  return wait_for_pressure();
}

Result<bool> Session::inject() {
  if (auto witness = kernel::DropWitness::attach(interface_.host_ifindex)) {
    witness_ = std::move(*witness);
  } else {
    BROWNOUT_TRY(record(events::timeline::not_observed({"drop reasons: " + witness.error().what})));
  }
  BROWNOUT_TRY(injector_->attach(packets_per_second_));
  counters_->watch(injector_.get(), witness_.get());
  injecting_ = true;
  BROWNOUT_TRY(record_action("attach faults", interface_.host_name, injector_->description().dump()));
  BROWNOUT_TRY(give_up_privileges());
  BROWNOUT_TRY(start_phase(BROWNOUT_PHASE_INJECT));
  BROWNOUT_TRY(guards_.begin(tracer_->counters().calls_completed[1]));
  live_.begin_faults();
  injector_->beat();
  BROWNOUT_TRY(injector_->arm());
  for (const auto& fault : plan_.faults) progress_.note("injecting " + fault.label);
  BROWNOUT_ASSIGN(const auto waited, pump_window());
  if (waited == Waited::kStopped) {
    BROWNOUT_TRY(end_phase());
    return false;
  }
  BROWNOUT_TRY(end_phase());
  injector_->start_drain();
  window_end_ns_ = monotonic_ns();
  return true;
}

Result<Session::Waited> Session::pump_window() {
  const std::int64_t begun = monotonic_ns();
  const std::int64_t length = plan_.drill.phases.inject.count();
  const auto over = [this, begun, length] {
    if (monotonic_ns() >= begun + length / 2)
      host_.during(std::chrono::duration_cast<std::chrono::milliseconds>(Nanoseconds{begun + length - monotonic_ns()}));
    return monotonic_ns() >= begun + length;
  };
  return pump_until(over, [begun, length] { return Step{.begun_ns = begun, .ends_ns = begun + length}; });
}

Result<> Session::give_up_privileges() {
  std::vector<std::filesystem::path> directories{staging_.parent_path()};
  if (plan_.drill.create_stop_file_at_end) directories.push_back(plan_.drill.app->stop_file.parent_path());
  BROWNOUT_ASSIGN(const auto kept, end_set_up(means_, directories));
  BROWNOUT_TRY(record_action("give up privileges", "all but " + names(kept), "ok"));
  BROWNOUT_ASSIGN(const auto filter, filter_system_calls());
  return record_action("filter system calls", "all threads", filter.absent.empty() ? "ok" : filter.absent);
}

Result<bool> Session::recover() {
  BROWNOUT_TRY(start_phase(BROWNOUT_PHASE_RECOVERY));
  const std::int64_t recovery_end = monotonic_ns() + plan_.drill.phases.recovery.count();
  // Detaching waits for the rest, and says so when something is stuck.
  const std::int64_t drain_deadline = window_end_ns_ + kDrainLimit;
  BROWNOUT_TRY(pump_until(
      [this, drain_deadline] { return injector_->drained() || monotonic_ns() >= drain_deadline; },
      [this, drain_deadline] {
        return Step{.doing = "draining", .begun_ns = window_end_ns_, .ends_ns = drain_deadline};
      }));
  BROWNOUT_TRY(stop_injection());
  if (!stopped_) {
    progress_.note(fmt::format("fault removed; recovery for {}", format_duration(plan_.drill.phases.recovery)));
    BROWNOUT_TRY(pump_for(recovery_end - monotonic_ns()));
  }
  target_may_go_ = true;
  BROWNOUT_TRY(end_phase());
  if (!stopped_) BROWNOUT_TRY(settle());
  return !stopped_;
}

// Sampling goes on until the last call of the window has ended and the app has had time to write it down.
Result<> Session::settle() {
  const auto over = [this] {
    const std::int64_t settle_ns =
        plan_.drill.phases.settle ? plan_.drill.phases.settle->count() : longest_call_ns_ + kDefaultSettle;
    return monotonic_ns() >= std::max(window_end_ns_, last_window_call_end_ns_) + settle_ns;
  };
  if (over()) return {};
  BROWNOUT_TRY(start_phase(BROWNOUT_PHASE_SETTLE));
  const Step step{.doing = "the app may still write down the last calls", .begun_ns = monotonic_ns()};
  BROWNOUT_TRY(pump_until(over, [&step] { return step; }));
  return end_phase();
}

std::uint64_t Session::packets_so_far() const {
  const auto device = kernel::device_counters(0, interface_.host_name);
  return device ? device->rx_packets + device->tx_packets : 0;
}

Result<> Session::stop_injection() {
  if (!injecting_) return {};
  const std::int64_t begun = monotonic_ns();
  auto detached = injector_->detach();
  const std::int64_t took_ms = (monotonic_ns() - begun) / 1'000'000;
  injecting_ = false;
  // A fault that could not be undone is told before a record that could not be written, and neither keeps the other away.
  Result<> recorded = take_packets();
  // The totals at the end of the fault, next to the devices' as they are now.
  if (auto counted = take_counters(); recorded) recorded = std::move(counted);
  counters_->watch(nullptr, nullptr);
  auto noted = record_action("detach faults", interface_.host_name,
                             detached ? fmt::format("ok, {} ms", took_ms) : detached.error().render());
  if (recorded) recorded = std::move(noted);
  return detached ? recorded : detached;
}

}  // namespace brownout::run
