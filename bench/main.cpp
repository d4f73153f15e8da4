// SPDX-License-Identifier: MIT
// brownout_bench latency|comparison|throughput|timeouts: figures as JSON on stdout, progress on stderr. Judges nothing.
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "machine.hpp"
#include "suites.hpp"

using namespace brownout::bench;

int main(int argc, char** argv) {
  CLI::App app{"figures of brownout"};
  app.require_subcommand(1);
  LatencyOptions latency_options;
  auto* latency_command = app.add_subcommand("latency", "one-way error against a thread that only sleeps");
  latency_command->add_option("--backends", latency_options.backends)->delimiter(',');
  latency_command->add_option("--delays-ms", latency_options.delays_ms)->delimiter(',');
  latency_command->add_option("--blocks", latency_options.blocks)->check(CLI::PositiveNumber);
  latency_command->add_option("--block-size", latency_options.block_size)->check(CLI::PositiveNumber);
  latency_command->add_option("--busy-threads", latency_options.busy_threads);
  LatencyOptions comparison_options{.backends = {"edt"}, .blocks = 8, .against = "netem"};
  auto* comparison_command = app.add_subcommand("comparison", "one-way error of backends against a known one");
  comparison_command->add_option("--backends", comparison_options.backends)->delimiter(',');
  comparison_command->add_option("--against", comparison_options.against);
  comparison_command->add_option("--delays-ms", comparison_options.delays_ms)->delimiter(',');
  comparison_command->add_option("--blocks", comparison_options.blocks)->check(CLI::PositiveNumber);
  comparison_command->add_option("--block-size", comparison_options.block_size)->check(CLI::PositiveNumber);
  ThroughputOptions throughput_options;
  int milliseconds = 2000;
  bool no_packets = false;
  auto* throughput_command = app.add_subcommand("throughput", "TCP and small packets, in interleaved pairs");
  throughput_command->add_option("--backends", throughput_options.backends)->delimiter(',');
  throughput_command->add_option("--delays-ms", throughput_options.delays_ms)->delimiter(',');
  throughput_command->add_option("--flows", throughput_options.flows)->delimiter(',');
  throughput_command->add_option("--topologies", throughput_options.topologies)->delimiter(',');
  throughput_command->add_option("--directions", throughput_options.directions)->delimiter(',');
  throughput_command->add_option("--pairs", throughput_options.pairs)->check(CLI::PositiveNumber);
  throughput_command->add_option("--milliseconds", milliseconds)->check(CLI::PositiveNumber);
  throughput_command->add_option("--receive-buffer", throughput_options.receive_buffer, "bytes; holds the window");
  throughput_command->add_flag("--no-packets", no_packets);
  throughput_command->add_option("--baseline", throughput_options.baseline, "the other half of every pair");
  TracingOptions tracing_options;
  int tracing_milliseconds = 500;
  bool no_waits = false;
  auto* tracing_command = app.add_subcommand("tracing", "requests with and without the tracer, in interleaved pairs");
  tracing_command->add_option("--pairs", tracing_options.pairs)->check(CLI::PositiveNumber);
  tracing_command->add_option("--slices", tracing_options.slices)->check(CLI::PositiveNumber);
  tracing_command->add_option("--milliseconds", tracing_milliseconds)->check(CLI::PositiveNumber);
  tracing_command->add_flag("--no-waits", no_waits);
  tracing_command->add_flag("--control", tracing_options.control, "no tracer in either half of a pair");
  TimeoutOptions timeout_options;
  auto* timeouts_command = app.add_subcommand("timeouts", "what the tracer calls what happens to real clients");
  timeouts_command->add_option("--tries", timeout_options.tries)->check(CLI::PositiveNumber);
  timeouts_command->add_option("--waits", timeout_options.waits)->delimiter(',')->check(CLI::IsMember({"off", "on"}));
  timeouts_command->add_option("--clients", timeout_options.clients)->delimiter(',');
  timeouts_command->add_option("--at-once", timeout_options.at_once)->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  if (no_waits || tracing_options.control) tracing_options.waits = {false};
  tracing_options.time = std::chrono::milliseconds{tracing_milliseconds};
  throughput_options.time = std::chrono::milliseconds{milliseconds};
  throughput_options.packets = !no_packets;

  try {
    nlohmann::json report = {{"machine", machine()}};
    std::string command;
    for (int i = 1; i < argc; ++i) command += fmt::format("{}{}", i > 1 ? " " : "", argv[i]);
    report["command"] = command;
    if (*timeouts_command) {
      report["timeouts"] = timeouts(timeout_options);
    } else {
      const BenchRoom room;
      if (*latency_command) report["latency"] = latency(room, latency_options);
      if (*comparison_command) report["comparison"] = comparison(room, comparison_options);
      if (*throughput_command) report["throughput"] = throughput(room, throughput_options);
      if (*tracing_command) report["tracing"] = tracing(room, tracing_options);
    }
    std::cout << report.dump(2) << '\n';
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "brownout_bench: {}\n", error.what());
    return 1;
  }
}
