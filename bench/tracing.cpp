// SPDX-License-Identifier: MIT
// What tracing costs: requests with and without it, in interleaved pairs; then each program by the kernel's own clock.
#include <algorithm>
#include <optional>
#include <thread>

#include <bpf/bpf.h>
#include <fmt/format.h>

#include "machine.hpp"
#include "requests.hpp"
#include "suites.hpp"
#include "support/plans.hpp"
#include "support/trace_room.hpp"

namespace brownout::bench {
namespace {

using namespace std::chrono_literals;

// After the programs came or went: the first seconds of new code and memory are slow, and a drill is long.
constexpr auto kSettle = 2500ms;

struct Room {
  const BenchRoom& bench;
  test::Cgroup cgroup;
};

// A tracer as a drill has it, with somebody who takes its events.
class Tracing {
 public:
  Tracing(const BenchRoom& room, const test::Cgroup& cgroup, bool waits) : target_(room.veth().target()) {
    target_.cgroup_path = cgroup.path();
    target_.cgroup_id = cgroup.id();
    target_.cgroup_level = 1;
    plan_ = test::plan_of({test::FaultBuilder::latency(1ms)});
    plan_.drill.trace_waits = waits;
    auto attached = kernel::Tracer::attach({.plan = plan_, .target = target_});
    if (!attached) throw std::runtime_error(attached.error().render());
    tracer_ = std::move(*attached);
    consumer_ = std::jthread{[this](const std::stop_token& stop) {
      while (!stop.stop_requested())
        if (!tracer_->consume(100ms, [](const brownout_event&) {})) return;
    }};
  }
  kernel::Tracer& tracer() { return *tracer_; }

 private:
  target::Target target_;
  plan::Plan plan_;
  std::unique_ptr<kernel::Tracer> tracer_;
  std::jthread consumer_;
};

// The rate of one slice, alone or traced.
double slice(const Room& room, const Requests& requests, bool traced, bool waits, std::chrono::milliseconds time) {
  std::optional<Tracing> tracing;
  if (traced) tracing.emplace(room.bench, room.cgroup, waits);
  std::this_thread::sleep_for(kSettle);
  return requests.rate(time);
}

// The machine's own speed changes within seconds, by more than tracing costs: a pair is made of short slices, in turns. And
// where a client's and a server's memory happens to lie makes a pair fast or slow, so each pair has new ones.
nlohmann::json run_pair(const Room& room, const RequestLoad& load, bool waits, const TracingOptions& options) {
  const Requests requests{room.bench, room.cgroup.path(), load};
  double with = 0, without = 0;
  for (int i = 0; i < options.slices; ++i) {
    const bool traced_first = i % 2 != 0;
    for (const bool traced : {traced_first, !traced_first})
      (traced ? with : without) += slice(room, requests, traced && !options.control, waits, options.time) / options.slices;
  }
  return {{"with_per_s", with}, {"without_per_s", without}, {"ratio", with / without}};
}

nlohmann::json run_pairs(const Room& room, const RequestLoad& load, bool waits, const TracingOptions& options) {
  nlohmann::json pairs = nlohmann::json::array();
  for (int pair = 0; pair < options.pairs; ++pair) pairs.push_back(run_pair(room, load, waits, options));
  const auto middle = [&](const char* figure) {
    std::vector<double> all;
    for (const auto& pair : pairs) all.push_back(pair.at(figure));
    return median(all);
  };
  nlohmann::json cell = {{"connections", load.connections}, {"keep_alive", load.keep_alive}, {"waits", waits},
                         {"control", options.control}};
  for (const char* figure : {"with_per_s", "without_per_s", "ratio"}) cell[figure] = middle(figure);
  fmt::print(stderr, "{}{} connections, {}, waits {}: {:.0f} requests/s against {:.0f}, median ratio {:.3f}\n",
             options.control ? "control: " : "", load.connections, load.keep_alive ? "kept open" : "one a request",
             waits ? "on" : "off", cell["with_per_s"].get<double>(), cell["without_per_s"].get<double>(),
             cell["ratio"].get<double>());
  cell["pairs"] = std::move(pairs);
  return cell;
}

// Apart from the pairs: the kernel's statistics cost something themselves.
nlohmann::json program_costs(const Room& room, bool waits, const TracingOptions& options) {
  const UniqueFd statistics{bpf_enable_stats(BPF_STATS_RUN_TIME)};
  if (!statistics) throw std::runtime_error("the kernel keeps no run statistics");
  Tracing tracing{room.bench, room.cgroup, waits};
  for (const bool keep_alive : {true, false})
    Requests{room.bench, room.cgroup.path(), {.connections = 4, .keep_alive = keep_alive}}.rate(options.time * 4);
  nlohmann::json programs = nlohmann::json::array();
  for (const auto& program : tracing.tracer().programs()) {
    if (program.runs == 0) continue;
    const double each = static_cast<double>(program.run_ns) / static_cast<double>(program.runs);
    fmt::print(stderr, "{:<24} {:>9} runs, {:6.0f} ns each\n", program.name, program.runs, each);
    programs.push_back({{"name", program.name}, {"type", program.type}, {"waits", waits}, {"runs", program.runs},
                        {"ns_each", each}});
  }
  return programs;
}

}  // namespace

nlohmann::json tracing(const BenchRoom& bench, const TracingOptions& options) {
  const Room room{bench, test::Cgroup{fmt::format("brownout-bench-{}", ::getpid())}};
  nlohmann::json report = {{"cells", nlohmann::json::array()}, {"programs", nlohmann::json::array()},
                           {"absent", nlohmann::json::object()}};
  for (const bool waits : options.waits) {
    for (const auto& load : {RequestLoad{1, true}, RequestLoad{8, true}, RequestLoad{8, false}})
      report["cells"].push_back(run_pairs(room, load, waits, options));
    if (options.control) continue;
    for (auto& program : program_costs(room, waits, options)) report["programs"].push_back(std::move(program));
  }
  return report;
}

}  // namespace brownout::bench
