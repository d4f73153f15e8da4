// SPDX-License-Identifier: MIT
// What tracing costs: requests with and without it, in interleaved pairs; then each program by the kernel's own clock.
#include <algorithm>
#include <fstream>
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
        if (!tracer_->consume(100ms, [this](const brownout_event&) { ++events_; })) return;
    }};
  }
  // Joins the consumer: its count is final.
  std::uint64_t stop() {
    consumer_ = {};
    return events_;
  }
  kernel::Tracer& tracer() { return *tracer_; }

 private:
  target::Target target_;
  plan::Plan plan_;
  std::unique_ptr<kernel::Tracer> tracer_;
  std::uint64_t events_ = 0;
  std::jthread consumer_;
};

double rate(std::uint64_t answered, std::chrono::milliseconds time) {
  return static_cast<double>(answered) / std::chrono::duration<double>(time).count();
}

nlohmann::json run_pairs(const BenchRoom& room, const test::Cgroup& cgroup, const RequestLoad& load, bool waits,
                         const TracingOptions& options) {
  nlohmann::json pairs = nlohmann::json::array();
  std::vector<double> with, without, ratios;
  for (int pair = 0; pair < options.pairs; ++pair) {
    const auto untraced = [&] { without.push_back(rate(run_requests(room, cgroup.path(), load, options.time), options.time)); };
    if (pair % 2 == 0) untraced();
    {
      Tracing tracing{room, cgroup, waits};
      with.push_back(rate(run_requests(room, cgroup.path(), load, options.time), options.time));
    }
    if (pair % 2 != 0) untraced();
    ratios.push_back(with.back() / without.back());
    pairs.push_back({{"with_per_s", with.back()}, {"without_per_s", without.back()}, {"ratio", ratios.back()}});
  }
  fmt::print(stderr, "{} connections, {}, waits {}: {:.0f} requests/s traced, {:.0f} without, median ratio {:.3f}\n",
             load.connections, load.keep_alive ? "kept open" : "one a request", waits ? "on" : "off", median(with),
             median(without), median(ratios));
  return {{"connections", load.connections}, {"keep_alive", load.keep_alive},  {"waits", waits},
          {"with_per_s", median(with)},      {"without_per_s", median(without)}, {"ratio", median(ratios)},
          {"pairs", pairs}};
}

// Apart from the pairs: the kernel's statistics cost something themselves.
nlohmann::json program_costs(const BenchRoom& room, const test::Cgroup& cgroup, bool waits,
                             const TracingOptions& options) {
  const UniqueFd statistics{bpf_enable_stats(BPF_STATS_RUN_TIME)};
  if (!statistics) throw std::runtime_error("the kernel keeps no run statistics");
  Tracing tracing{room, cgroup, waits};
  run_requests(room, cgroup.path(), {.connections = 4, .keep_alive = true}, options.time);
  run_requests(room, cgroup.path(), {.connections = 4, .keep_alive = false}, options.time);
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

nlohmann::json tracing(const BenchRoom& room, const TracingOptions& options) {
  const test::Cgroup cgroup{fmt::format("brownout-bench-{}", ::getpid())};
  nlohmann::json report = {{"cells", nlohmann::json::array()}, {"absent", nlohmann::json::object()}};
  for (const bool waits : {false, true}) {
    for (const auto& load : {RequestLoad{1, true}, RequestLoad{8, true}, RequestLoad{8, false}})
      report["cells"].push_back(run_pairs(room, cgroup, load, waits, options));
    for (auto& program : program_costs(room, cgroup, waits, options)) report["programs"].push_back(std::move(program));
  }
  return report;
}

}  // namespace brownout::bench
