// SPDX-License-Identifier: MIT
// How a drill stands, as a value: the loop makes one a few times a second, and whoever shows it has nothing else to ask.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace brownout::run {

struct LiveState {
  std::string phase;           // "inject"
  std::string doing;           // what is waited for in it; may be empty
  std::int64_t elapsed_ns = 0;
  std::optional<std::int64_t> left_ns; // none: nobody knows
  bool gives_up = false;       // when nothing is left the drill ends

  // Of the app's connections that the faults act on.
  bool tracing = false;
  double calls_per_second = 0; // completed in the last second
  std::uint64_t completed = 0, failed = 0, in_flight = 0;
  std::vector<std::pair<std::string, std::uint64_t>> failures; // by kind, most frequent first; lookups too
  std::uint64_t failures_elsewhere = 0; // of the target, on other connections or by other processes

  struct Fault {
    std::string label;
    bool delays = false;
    double planned_rate = 0;   // of what is dropped
    std::uint64_t matched = 0, decided = 0, applied = 0; // packets
  };
  bool armed = false;          // has been
  std::vector<Fault> faults;
  std::uint64_t dropped = 0, delayed = 0; // as on the wire
  std::vector<std::pair<std::string, std::string>> delays; // by direction: "median 301 ms, longest 322 ms"

  struct Counter { std::string name; std::optional<double> before, now; }; // before: when the faults began
  std::vector<Counter> app;

  enum class Standing : std::uint8_t { kUnknown, kNotYet, kMet, kHolds, kExceeded };
  struct Gate { std::string name, demand; Standing standing = Standing::kUnknown; std::optional<double> grown; };
  std::vector<Gate> gates;

  struct Cap { std::string unit; std::optional<std::uint64_t> used; std::uint64_t most = 0; bool reached = false; };
  std::vector<Cap> caps;
  std::vector<std::pair<std::string, std::uint64_t>> lost; // what the evidence lacks; none in it is 0
};

std::string standing_name(LiveState::Standing standing); // "not yet"

}  // namespace brownout::run
