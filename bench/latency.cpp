// SPDX-License-Identifier: MIT
// How late packets are, against a thread that only sleeps, in alternating blocks.
#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "blocks.hpp"
#include "datagrams.hpp"
#include "machine.hpp"
#include "sleeper.hpp"
#include "suites.hpp"

namespace brownout::bench {
namespace {

using namespace std::chrono_literals;

// Threads of ordinary priority that never rest.
class BusyThreads {
 public:
  explicit BusyThreads(int count) {
    for (int i = 0; i < count; ++i)
      threads_.emplace_back([](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
        }
      });
  }

 private:
  std::vector<std::jthread> threads_;
};

nlohmann::json run_cell(const BenchRoom& room, const Backend& backend, const Way& way, int delay_ms,
                        const LatencyOptions& options) {
  const std::chrono::milliseconds delay{backend.name == "none" ? 0 : delay_ms};
  const auto injection = backend.start(room, delay);
  Blocks line, bare;
  int missing = 0;
  const CpuMeter cpu;
  for (int block = 0; block < options.blocks; ++block) {
    const auto sleep = [&] { bare.add(bare_sleeps(options.block_size, options.interval, delay)); };
    if (block % 2 != 0) sleep();
    auto got = paced_block(way, options.block_size, options.interval, delay + 1s);
    missing += got.missing;
    line.add(minus(std::move(got.one_way_us), static_cast<double>(delay.count()) * 1e3));
    if (block % 2 == 0) sleep();
  }
  const double p50_over = line.block_p50() - bare.block_p50(), p99_over = line.block_p99() - bare.block_p99();
  nlohmann::json cell = {{"backend", backend.name},     {"direction", way.direction},
                         {"delay_ms", delay.count()},   {"blocks", options.blocks},
                         {"missing", missing},          {"one_way_error", line.json()},
                         {"bare_sleep", bare.json()},   {"p50_over_bare_us", p50_over},
                         {"p99_over_bare_us", p99_over}, {"machine_busy_share", cpu.busy_share()}};
  if (injection) cell["injection"] = injection->figures();
  fmt::print(stderr,
             "{:<10} {:<14} {:>4} ms: error p50 {:7.1f} p99 {:7.1f} max {:8.1f} us, n {}, missing {}; bare p50 {:6.1f} "
             "p99 {:6.1f}; over bare, block medians: p50 {:+.1f} p99 {:+.1f}\n",
             backend.name, way.direction, delay.count(), cell["one_way_error"]["p50_us"].get<double>(),
             cell["one_way_error"]["p99_us"].get<double>(), cell["one_way_error"]["max_us"].get<double>(),
             cell["one_way_error"]["n"].get<int>(), missing, cell["bare_sleep"]["p50_us"].get<double>(),
             cell["bare_sleep"]["p99_us"].get<double>(), p50_over, p99_over);
  return cell;
}

}  // namespace

std::vector<Backend> chosen(const BenchRoom& room, const std::vector<std::string>& names, nlohmann::json& report) {
  report["absent"] = nlohmann::json::object();
  std::vector<Backend> chosen;
  for (Backend& backend : backends()) {
    if (!names.empty() && std::ranges::find(names, backend.name) == names.end()) continue;
    if (const std::string why = backend.missing(room); !why.empty())
      report["absent"][backend.name] = why;
    else
      chosen.push_back(std::move(backend));
  }
  return chosen;
}

nlohmann::json latency(const BenchRoom& room, const LatencyOptions& options) {
  nlohmann::json report = {{"cells", nlohmann::json::array()}, {"busy_threads", options.busy_threads}};
  const BusyThreads busy{options.busy_threads};
  for (const Backend& backend : chosen(room, options.backends, report))
    for (const int delay_ms : options.delays_ms) {
      for (const Way& way : ways(room))
        if (std::string_view{way.topology} == "host_local")
          report["cells"].push_back(run_cell(room, backend, way, delay_ms, options));
      if (backend.name == "none") break;  // one delay only: none
    }
  return report;
}

}  // namespace brownout::bench
