// SPDX-License-Identifier: MIT
// The suites. Each prints its cells to stderr as they are done and returns them all.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "backend.hpp"

namespace brownout::bench {

struct ThroughputOptions {
  std::vector<std::string> backends;  // empty: all that work here
  std::vector<int> delays_ms{0, 20};
  std::vector<int> flows{1, 8};
  std::vector<std::string> topologies{"host_local", "forwarded"};
  std::vector<std::string> directions{"to_container", "from_container"};
  int pairs = 7;
  std::chrono::milliseconds time{2000};
  bool packets = true;
  int receive_buffer = 0;         // bytes; 0: sized by the kernel
  std::string baseline = "none";  // the other half of every pair
};
nlohmann::json throughput(const BenchRoom& room, const ThroughputOptions& options);

struct LatencyOptions {
  std::vector<std::string> backends;
  std::vector<int> delays_ms{1, 5, 100, 1500};
  int blocks = 10;
  int block_size = 200;
  std::chrono::microseconds interval{3000};
  int busy_threads = 0;  // that keep the CPUs busy meanwhile
  std::string against;   // of comparison(): the backend that is known
};
nlohmann::json latency(const BenchRoom& room, const LatencyOptions& options);
nlohmann::json comparison(const BenchRoom& room, const LatencyOptions& options);

struct TracingOptions {
  int pairs = 7;
  int slices = 6;                      // of a pair, each way
  std::chrono::milliseconds time{500};  // of a slice
  std::vector<bool> waits{false, true};
  bool control = false;  // no tracer in either half: what the machine does by itself
};
nlohmann::json tracing(const BenchRoom& room, const TracingOptions& options);

struct TimeoutOptions {
  int tries = 20;
  std::vector<std::string> waits{"off", "on"};
  std::vector<std::string> clients; // by name; empty: all
  std::size_t at_once = 8;
};
nlohmann::json timeouts(const TimeoutOptions& options);

// Those asked for and present; the absent ones are noted in `report` with the reason.
std::vector<Backend> chosen(const BenchRoom& room, const std::vector<std::string>& names, nlohmann::json& report);

}  // namespace brownout::bench
