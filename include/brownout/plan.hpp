// SPDX-License-Identifier: MIT
// Stage 2. What will be done, as plain structs that later stages and the BPF programs take as they are.
//
// compile() is pure: `run`, a dry run and `verify` share it, so what is judged is what was planned.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/abi/brownout.h"
#include "brownout/drill.hpp"

namespace brownout::plan {

struct PlannedFault {
  std::size_t index = 0;      // in file order
  std::string label;          // "latency 300ms±20ms egress tcp *:443", for people
  brownout_fault abi{};
  std::vector<int> directions; // of enum brownout_direction, ascending
  double rate = 0;             // loss: fraction of one; blackhole: 1
  int drill_line = 0;
};

struct Plan {
  drill::Drill drill;
  std::uint64_t seed = 0;
  bool seed_drawn = false;
  std::vector<PlannedFault> faults;
  std::vector<drill::Gate> gates;    // the default gate filled in
  std::int64_t max_duration_ns = 0;  // from arming to the deadline in the programs
  bool needs_delay_line = false;
};

// `seed_if_unset` is used and recorded when the drill names none.
Result<Plan> compile(drill::Drill drill, std::uint64_t seed_if_unset);
nlohmann::json to_json(const Plan& plan);

// The sum of the planned delays of all latency faults over the directions each matches, for a TCP flow that all of
// them match: what the round trip is expected to gain, and the jitter around it.
struct ExpectedDelay { std::int64_t delay_ns = 0; std::int64_t jitter_ns = 0; };
ExpectedDelay expected_round_trip(const Plan& plan);

}  // namespace brownout::plan
