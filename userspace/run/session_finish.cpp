// SPDX-License-Identifier: MIT
// The end of a drill, however it came: undo, write down, prove that nothing is left.
#include "session.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "stop_file.hpp"

namespace brownout::run {
namespace {

constexpr std::int64_t kCleanupLimit = 5 * kNsPerSecond;
constexpr std::int64_t kStopFileAnswer = 10 * kNsPerSecond;

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

void append(kernel::ObjectIds& to, const kernel::ObjectIds& from) {
  append(to.programs, from.programs);
  append(to.maps, from.maps);
  append(to.links, from.links);
  append(to.interfaces, from.interfaces);
}

bool empty(const kernel::ObjectIds& objects) {
  return objects.programs.empty() && objects.maps.empty() && objects.links.empty() && objects.interfaces.empty();
}

std::vector<std::string> name_leftovers(const kernel::ObjectIds& objects) {
  std::vector<std::string> names;
  for (const auto id : objects.programs) names.push_back(fmt::format("program {}", id));
  for (const auto id : objects.maps) names.push_back(fmt::format("map {}", id));
  for (const auto id : objects.links) names.push_back(fmt::format("link {}", id));
  for (const auto id : objects.interfaces) names.push_back(fmt::format("interface {}", id));
  return names;
}

nlohmann::json describe(const std::vector<kernel::ProgramInfo>& programs) {
  auto list = nlohmann::json::array();
  for (const auto& program : programs)
    list.push_back({{"id", program.id},
                    {"name", program.name},
                    {"tag", program.tag},
                    {"type", program.type},
                    {"recursion_misses", program.missed}});
  return list;
}

}  // namespace

// The chain comes to its end whatever could be written.
Result<> Session::finish(const std::optional<Error>& error) {
  const auto finished = close_evidence(error);
  const auto closed = recorder_->close();
  return finished ? closed : finished;
}

Result<> Session::close_evidence(const std::optional<Error>& error) {
  Result<> undone = stop_injection();
  show({.doing = "undoing, then judging and sealing", .begun_ns = monotonic_ns()});
  if (error) {
    ending_ = events::Ending::kError;
    ending_detail_ = error->render();
    BROWNOUT_TRY(record(events::timeline::stop("error", ending_detail_)));
  }
  stopped_ = stopped_ || error.has_value();
  BROWNOUT_TRY(end_phase());
  if (ending_ == events::Ending::kCompleted && plan_.drill.create_stop_file_at_end) BROWNOUT_TRY(create_stop_file());
  BROWNOUT_TRY(close_app_evidence());
  if (tracer_) {
    BROWNOUT_TRY(take_events());
    BROWNOUT_TRY(take_counters());
    BROWNOUT_TRY(record(events::timeline::names(names_.counts())));
    for (const auto& latency : events::latency_records(tracer_->latencies())) BROWNOUT_TRY(recorder_->record(latency));
  }
  BROWNOUT_TRY(prove_cleanup());
  if (const auto looked = host_.after(run_directory_.get()); !looked)
    BROWNOUT_TRY(record(events::timeline::note("host/ is not whole: " + looked.error().render())));
  BROWNOUT_TRY(record_action("watch by guardian", fmt::format("pid {}", guardian_.pid()),
                             guardian_.alive() ? "ok" : "it ended before the drill did"));
  BROWNOUT_TRY(record_clock());
  BROWNOUT_TRY(record(events::timeline::disk(recorder_->disk())));
  BROWNOUT_TRY(record(events::timeline::ending(ending_, ending_detail_)));
  BROWNOUT_TRY(recorder_->flush());
  return undone;
}

// As operators do at the end of a drill; the app's answer (its own STOP fields) is awaited for a moment.
Result<> Session::create_stop_file() {
  const auto& path = plan_.drill.app->stop_file;
  const auto made = run::create_stop_file(path);
  BROWNOUT_TRY(record_action("create STOP file", path.string(), made ? "ok" : made.error().render()));
  if (!made) return {};
  const std::int64_t deadline = monotonic_ns() + kStopFileAnswer;
  const auto answered = [this, deadline] {
    const auto manifest = run_directory_->manifest();
    return monotonic_ns() >= deadline || (manifest && says_stopped(*manifest));
  };
  stopped_ = true;  // the file is ours: the loop must not take it for a request
  while (!answered()) BROWNOUT_TRY(pump());
  return {};
}

Result<> Session::close_app_evidence() {
  if (!app_) return {};
  BROWNOUT_TRY(take_snapshots());
  const auto last = app_->stop();
  for (const auto& snapshot : app_->take()) BROWNOUT_TRY(recorder_->record(snapshot));
  BROWNOUT_TRY(recorder_->record(last));
  BROWNOUT_TRY(record(events::timeline::sampling(app_->longest_gap_ns())));
  BROWNOUT_TRY(record_manifest("end"));
  if (target::processes(target_).value_or(std::vector<target::Process>{}).empty())
    BROWNOUT_TRY(record(events::timeline::app_exited()));
  events::RunFiles files{.before = std::move(files_before_)};
  auto after = run_directory_->list();
  // What the app did to its directory is no reason to leave the rest of the evidence unwritten.
  if (!after)
    return record(events::timeline::note("the run directory could not be listed at the end: " + after.error().render()));
  files.after = std::move(*after);
  for (const auto& wanted : plan_.drill.app->required)
    if (std::ranges::find(files.after, wanted, &events::RunFile::path) == files.after.end())
      files.missing_required.push_back(wanted);
  return events::write_run_files(staging_, files);
}

void Session::describe_kernel() {
  auto programs = tracer_->programs();
  append(objects_, tracer_->objects());
  if (injector_) {
    append(programs, injector_->programs());
    append(objects_, injector_->objects());
    kernel_description_["injector"] = injector_->description();
  }
  kernel_description_["programs"] = describe(programs);
  kernel_description_["not_observed"] = tracer_->not_observed();
}

// Our own objects by id: others come and go on a living host, and are none of our business.
Result<> Session::prove_cleanup() {
  if (tracer_) describe_kernel();
  counters_.reset();
  witness_.reset();
  injector_.reset();
  tracer_.reset();
  const std::int64_t begun = monotonic_ns();
  // What may no longer be looked up by ourselves counts as there.
  const auto look = [this](const kernel::ObjectIds& objects) {
    auto left = guardian_.still_there(objects);
    return left ? *std::move(left) : kernel::still_there(objects);
  };
  auto left = look(objects_);
  // Programs and maps are freed after a grace period of the kernel, which nothing announces.
  while (!empty(left) && monotonic_ns() < begun + kCleanupLimit) {
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    left = look(left);
  }
  return record(events::timeline::cleanup(name_leftovers(left), monotonic_ns() - begun));
}

}  // namespace brownout::run
