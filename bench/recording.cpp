// SPDX-License-Identifier: MIT
// What it costs to have evidence on the disk within a second: events recorded at a steady rate as a drill's loop does it,
// in pairs, with the files on the disk and, where a sync costs nothing, in memory.
#include <algorithm>
#include <exception>
#include <iostream>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "brownout/clock.hpp"
#include "brownout/events.hpp"
#include "machine.hpp"
#include "support/scratch_directory.hpp"

namespace brownout::bench {
namespace {

constexpr std::int64_t kTurn = 20'000'000, kFlushEvery = 200'000'000, kSecond = 1'000'000'000;  // as in the drill's loop

struct Options {
  int pairs = 7, seconds = 5, events_per_second = 10'000;
  std::string disk = "/var/tmp", memory = "/dev/shm";
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void must(const Result<>& result) {
  if (!result) throw std::runtime_error(result.error().render());
}

nlohmann::json record_in(const std::filesystem::path& parent, const Options& options) {
  const auto directory = parent / fmt::format("brownout-recording-{}", ::getpid());
  auto recorder = events::Recorder::open(directory);
  if (!recorder) throw std::runtime_error(recorder.error().render());
  const double cpu_before = cpu_seconds();
  const std::int64_t start = monotonic_ns(), end = start + options.seconds * kSecond;
  std::int64_t recorded = 0, flushed = start, longest_turn = 0;
  brownout_event event{};
  event.kind = BROWNOUT_EVENT_CALL;
  for (std::int64_t turn = start; turn < end; turn += kTurn) {
    std::this_thread::sleep_for(std::chrono::nanoseconds{turn - monotonic_ns()});
    const std::int64_t begun = monotonic_ns();
    for (const auto due = (begun - start) * options.events_per_second / kSecond; recorded < due; ++recorded) {
      event.sequence = static_cast<__u64>(recorded);
      event.t_mono_ns = static_cast<__u64>(begun);
      must((*recorder)->record(event));
    }
    if (begun - flushed >= kFlushEvery) {
      must((*recorder)->flush());
      flushed = begun;
    }
    longest_turn = std::max(longest_turn, monotonic_ns() - begun);
  }
  const auto disk = (*recorder)->disk();
  recorder->reset();
  std::filesystem::remove_all(directory);
  const auto ms = [](std::int64_t ns) { return static_cast<double>(ns) / 1e6; };
  return {{"cpu_us_per_event", (cpu_seconds() - cpu_before) * 1e6 / static_cast<double>(recorded)},
          {"longest_turn_ms", ms(longest_turn)},
          {"longest_sync_ms", ms(disk.longest_ns)},
          {"syncs", disk.syncs}};
}

nlohmann::json recording(const Options& options) {
  nlohmann::json pairs = nlohmann::json::array();
  for (int pair = 0; pair < options.pairs; ++pair) {
    nlohmann::json one;
    const bool disk_first = pair % 2 == 0;
    for (const bool disk : {disk_first, !disk_first})
      one[disk ? "disk" : "memory"] = record_in(disk ? options.disk : options.memory, options);
    pairs.push_back(std::move(one));
  }
  nlohmann::json report = {{"options", {{"events_per_s", options.events_per_second}, {"seconds", options.seconds}}}};
  for (const char* where : {"disk", "memory"})
    for (const char* figure : {"cpu_us_per_event", "longest_turn_ms", "longest_sync_ms", "syncs"}) {
      std::vector<double> all;
      for (const auto& pair : pairs) all.push_back(pair.at(where).at(figure));
      report[where][figure] = median(all);
      fmt::print(stderr, "{:<7} {:<17} {:.3f}\n", where, figure, median(all));
    }
  report["pairs"] = std::move(pairs);
  return report;
}

}  // namespace
}  // namespace brownout::bench

int main(int argc, char** argv) {
  using namespace brownout::bench;
  CLI::App app{"what it costs to have evidence on the disk within a second"};
  Options options;
  app.add_option("--pairs", options.pairs)->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds)->check(CLI::PositiveNumber);
  app.add_option("--events-per-second", options.events_per_second)->check(CLI::PositiveNumber);
  app.add_option("--disk", options.disk)->check(CLI::ExistingDirectory);
  app.add_option("--memory", options.memory)->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);
  try {
    std::cout << nlohmann::json{{"machine", machine()}, {"recording", recording(options)}}.dump(2) << '\n';
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "brownout_recording: {}\n", error.what());
    return 1;
  }
}
