// SPDX-License-Identifier: MIT
// One drill while it runs: owns the kernel objects and drives them from a single loop that also beats for them.
//
// Steps are called in order by run.cpp. Each returns true to go on, false when the drill shall end now (the ending is
// recorded), or an error. Whatever happens, finish() undoes the fault first and leaves complete evidence behind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app_watch.hpp"
#include "counter_sampler.hpp"
#include "event_text.hpp"
#include "guard_watch.hpp"
#include "guardian.hpp"
#include "host_evidence.hpp"
#include "live_watch.hpp"
#include "pressure.hpp"
#include "progress.hpp"
#include "stop_watch.hpp"
#include "target_watch.hpp"

#include "brownout/events.hpp"

namespace brownout::run {

class Session {
 public:
  struct Setup {
    const plan::Plan& plan;
    const target::Target& target;
    const kernel::Interface& interface;
    const kernel::Means& means;
    kernel::Journal& journal;
    const Guardian& guardian;
    std::filesystem::path staging;
    const events::Rules& rules;
    const nlohmann::json& run_log; // which run this is
    StopWatch& stop;
    TargetWatch& watch;
    Progress& progress;
    bool tell_events = false;
  };
  static Result<std::unique_ptr<Session>> open(const Setup& setup);

  Result<bool> wait_for_run_directory();
  // Attaches the tracer and loads the injector: a program that this kernel refuses is known before anyone waits.
  Result<> prepare();
  Result<bool> wait_for_pressure();
  Result<bool> baseline();
  Result<bool> inject();
  Result<bool> recover();
  // Undoes what is left, closes the evidence. `error`: why the drill could not go on, if so.
  Result<> finish(const std::optional<Error>& error);

  const events::RunDirectory* run_directory() const { return run_directory_.get(); }
  events::Ending ending() const { return ending_; }
  // For the manifest: programs, tags, how the fault was injected.
  const nlohmann::json& kernel_description() const { return kernel_description_; }

 private:
  explicit Session(const Setup& setup);

  enum class Waited { kDone, kStopped };
  using Condition = std::function<bool()>;
  using StepNow = std::function<Step()>;
  Result<Waited> pump_until(const Condition& done, const StepNow& step);
  Result<Waited> pump_for(std::int64_t duration_ns);
  Result<> pump();
  Result<> take_events();
  Result<> take_packets();
  void tell_event(const brownout_event& event);
  void show(const Step& step);
  Result<> record_names(const std::vector<events::NameRecord>& names);
  Result<> take_snapshots();
  Result<> take_counters();
  Result<> take_stop();
  Result<> take_target();
  Result<> take_guards();
  Result<> stop_because(events::Ending ending, const char* source, const std::string& detail);
  Result<> start_phase(brownout_phase phase);
  Result<> end_phase();
  Result<> list_in_flight();
  Result<bool> end_with(events::Ending ending, const std::string& detail);
  Result<> record(events::TimelineEntry entry);
  Result<> record_action(const std::string& what, const std::string& object, const std::string& result);
  Result<> record_clock();
  Result<> record_moved_clock();
  Result<> record_manifest(const std::string& when);
  std::uint64_t packets_so_far() const;
  Result<> look_at_host();
  Result<Waited> pump_window();
  Result<> give_up_privileges();
  Result<> stop_injection();
  Result<> settle();
  Result<> create_stop_file();
  Result<> close_evidence(const std::optional<Error>& error);
  Result<> close_app_evidence();
  Result<> prove_cleanup();
  void describe_kernel();
  Step pressure_step(std::int64_t begun_ns) const;

  const plan::Plan& plan_;
  const target::Target& target_;
  const kernel::Interface& interface_;
  const kernel::Means& means_;
  kernel::Journal& journal_;
  const Guardian& guardian_;
  std::filesystem::path staging_;
  StopWatch& stop_;
  TargetWatch& watch_;
  Progress& progress_;

  std::unique_ptr<events::Recorder> recorder_;
  std::unique_ptr<events::RunDirectory> run_directory_;
  std::unique_ptr<AppWatch> app_;
  std::unique_ptr<kernel::Tracer> tracer_;
  std::unique_ptr<kernel::Injector> injector_;
  std::unique_ptr<kernel::DropWitness> witness_;
  std::unique_ptr<CounterSampler> counters_;
  std::optional<PressureWindow> pressure_;
  GuardWatch guards_;
  LiveWatch live_;
  bool tell_events_;
  EventBudget event_budget_;
  HostEvidence host_;

  std::uint32_t phase_ = BROWNOUT_PHASE_WAITING;
  bool phase_open_ = false;
  bool in_flight_unlisted_ = false;
  bool injecting_ = false;
  bool stopped_ = false;
  bool target_may_go_ = false;  // the drill has seen what it was to see of it
  bool run_changed_ = false;
  events::Ending ending_ = events::Ending::kCompleted;
  std::string ending_detail_;
  std::int64_t waiting_deadline_ns_ = 0;
  std::int64_t next_counters_ns_ = 0, next_flush_ns_ = 0;
  std::int64_t next_slow_look_ns_ = 0;
  double packets_per_second_ = 0;  // both directions, in the baseline
  std::int64_t window_end_ns_ = 0;
  std::int64_t last_window_call_end_ns_ = 0;
  std::int64_t clock_offset_ns_ = 0;  // realtime - monotonic, as it was last recorded
  std::int64_t longest_call_ns_ = 0;
  events::NameReader names_;
  std::vector<events::RunFile> files_before_;
  kernel::ObjectIds objects_;
  nlohmann::json kernel_description_ = nlohmann::json::object();
};

}  // namespace brownout::run
