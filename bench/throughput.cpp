// SPDX-License-Identifier: MIT
// Interleaved pairs, without and with an injection, so that what else the machine does hits both alike.
#include <algorithm>

#include <fmt/format.h>

#include "datagrams.hpp"
#include "machine.hpp"
#include "streams.hpp"
#include "suites.hpp"

namespace brownout::bench {
namespace {

using namespace std::chrono_literals;

bool wanted(const std::vector<std::string>& names, const char* name) {
  return std::ranges::find(names, name) != names.end();
}

struct Cell {
  const Backend& backend;
  const Backend& baseline;
  Way way;
  int delay_ms, flows;
};

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

nlohmann::json run_once(const BenchRoom& room, const Cell& cell, bool injected, const ThroughputOptions& options) {
  const Backend& backend = injected ? cell.backend : cell.baseline;
  const auto injection = backend.start(room, std::chrono::milliseconds{cell.delay_ms});
  // The window of a new connection must have opened, which takes some round trips.
  const auto warm_up = injection ? 500ms + 50 * std::chrono::milliseconds{cell.delay_ms} : 500ms;
  const CpuMeter cpu;
  const StreamResult result = run_streams(cell.way, cell.flows, warm_up, options.time, options.receive_buffer);
  const TcpFigures& tcp = result.senders;
  nlohmann::json one = {{"gbit_per_s", result.gbit_per_s},
                        {"machine_busy_share", cpu.busy_share()},
                        {"injector_cpu_s", cpu.process_s() - result.traffic_cpu_s},
                        {"congestion", result.congestion},
                        {"retransmits", tcp.retransmits},
                        {"min_rtt_us", tcp.min_rtt_us},
                        {"rtt_us", tcp.rtt_us},
                        {"busy_us", tcp.busy_us},
                        {"rwnd_limited_us", tcp.rwnd_limited_us},
                        {"sndbuf_limited_us", tcp.sndbuf_limited_us},
                        {"window_limited_share", result.window_limited_share},
                        {"kernel_limited_share", share(tcp.rwnd_limited_us + tcp.sndbuf_limited_us, tcp.busy_us)}};
  if (injection) one["injection"] = injection->figures();
  one["injector_cpu_us_per_mb"] =
      result.bytes > 0 ? one["injector_cpu_s"].get<double>() * 1e12 / static_cast<double>(result.bytes) : 0;
  return one;
}

nlohmann::json run_cell(const BenchRoom& room, const Cell& cell, const ThroughputOptions& options) {
  nlohmann::json result = {{"backend", cell.backend.name},   {"baseline", cell.baseline.name},
                           {"topology", cell.way.topology},  {"direction", cell.way.direction},
                           {"delay_ms", cell.delay_ms},      {"flows", cell.flows},
                           {"pairs", nlohmann::json::array()}};
  std::vector<double> with, without, ratios, limited, kernel_limited, cost, rtt;
  for (int pair = 0; pair < options.pairs; ++pair) {
    nlohmann::json both;
    for (const bool injected : {pair % 2 != 0, pair % 2 == 0})
      both[injected ? "with" : "without"] = run_once(room, cell, injected, options);
    with.push_back(both["with"]["gbit_per_s"]);
    without.push_back(both["without"]["gbit_per_s"]);
    ratios.push_back(with.back() / std::max(without.back(), 1e-9));
    cost.push_back(both["with"]["injector_cpu_us_per_mb"]);
    rtt.push_back(both["with"]["rtt_us"]);
    limited.push_back(both["with"]["window_limited_share"]);
    kernel_limited.push_back(both["with"]["kernel_limited_share"]);
    result["pairs"].push_back(std::move(both));
  }
  result["median"] = {{"with_gbit_per_s", median(with)},
                      {"without_gbit_per_s", median(without)},
                      {"ratio", median(ratios)},
                      {"injector_cpu_us_per_mb", median(cost)},
                      {"rtt_us", median(rtt)},
                      {"window_limited_share", median(limited)},
                      {"kernel_limited_share", median(kernel_limited)}};
  fmt::print(stderr, "{:<10} {:<10} {:<14} {:>4} ms {} flows: {:7.3f} of {:7.3f} Gbit/s, ratio {:.3f}, window {:.3f}, by the kernel {:.3f}, RTT "
             "{:.0f} us, injector {:.0f} us of CPU a MB\n",
             cell.backend.name, cell.way.topology, cell.way.direction, cell.delay_ms, cell.flows, median(with),
             median(without), median(ratios), median(limited), median(kernel_limited), median(rtt), median(cost));
  return result;
}

nlohmann::json packet_rate(const BenchRoom& room, const Backend& backend, const Way& way, int pairs) {
  std::vector<double> with, without, sent;
  for (int pair = 0; pair < pairs; ++pair)
    for (const bool injected : {pair % 2 != 0, pair % 2 == 0}) {
      const auto injection = injected ? backend.start(room, 0ms) : nullptr;
      const DatagramRate rate = unpaced(way, 1s, 0ms);
      (injected ? with : without).push_back(rate.received_per_s);
      if (injected) sent.push_back(rate.sent_per_s);
    }
  fmt::print(stderr, "{:<10} {:<10} {:<14} 32 B datagrams: {:.0f} of {:.0f} received/s (offered {:.0f})\n",
             backend.name, way.topology, way.direction, median(with), median(without), median(sent));
  return {{"backend", backend.name},
          {"topology", way.topology},
          {"direction", way.direction},
          {"pairs", pairs},
          {"with_received_per_s", median(with)},
          {"with_sent_per_s", median(sent)},
          {"without_received_per_s", median(without)}};
}

}  // namespace

nlohmann::json throughput(const BenchRoom& room, const ThroughputOptions& options) {
  nlohmann::json report = {{"tcp", nlohmann::json::array()}, {"small_packets", nlohmann::json::array()}};
  const auto present = chosen(room, options.backends, report);
  const auto all = backends();
  const auto baseline = std::ranges::find(all, options.baseline, &Backend::name);
  if (baseline == all.end()) throw std::runtime_error("there is no backend " + options.baseline);
  if (const auto why = baseline->missing(room); !why.empty()) throw std::runtime_error(options.baseline + ": " + why);
  for (const Backend& backend : present) {
    if (backend.name == "none" || backend.name == options.baseline) continue;
    for (const Way& way : ways(room)) {
      if (!wanted(options.topologies, way.topology) || !wanted(options.directions, way.direction)) continue;
      for (const int delay_ms : options.delays_ms)
        for (const int flows : options.flows)
          report["tcp"].push_back(run_cell(room, {backend, *baseline, way, delay_ms, flows}, options));
      if (options.packets) report["small_packets"].push_back(packet_rate(room, backend, way, options.pairs));
    }
  }
  return report;
}

}  // namespace brownout::bench
