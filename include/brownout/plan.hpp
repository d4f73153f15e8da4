// SPDX-License-Identifier: MIT
// Stage 2. What will be done, as plain structs that later stages and the BPF programs take as they are.
//
// compile() is pure: `run`, `plan` and `verify` share it, so what is judged is what was planned.
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
  double spread = 1;           // variance of how many are lost, beside that of independent draws: more than 1 with bursts
  int drill_line = 0;
};

// What brownout_fault::distribution counts from: the values that the programs in the kernel draw from.
struct JitterTable {
  std::string name; // "normal", or the file as the drill names it
  std::vector<std::int16_t> values;
  std::string sha256;      // of the values, as little-endian 16-bit words
  std::string file_sha256; // empty: a table of our own making
};
// netem's own, by its formulas; kUniform and kFile have none.
const std::vector<std::int16_t>& named_table(drill::Distribution distribution);

struct Plan {
  drill::Drill drill;
  std::uint64_t seed = 0;
  bool seed_drawn = false;
  drill::Backend backend = drill::Backend::kAuto;
  std::vector<PlannedFault> faults;
  std::vector<JitterTable> tables;   // each once
  std::vector<drill::Gate> gates;    // the default gate filled in
  __u32 allowed = 0;                 // enum brownout_allow
  std::int64_t max_duration_ns = 0;  // from arming to the deadline in the programs
  bool needs_delay_line = false;
};

// `seed_if_unset` is used and recorded when the drill names none.
Result<Plan> compile(drill::Drill drill, std::uint64_t seed_if_unset);
nlohmann::json to_json(const Plan& plan);

// kAnybody: the other end is not known, and taken to be whoever the match asks for.
enum class Peer : std::uint8_t { kGiven, kAnybody };
// Does the fault hit packets of the flow, in either direction? By the programs' own rule, with what they spare.
bool hits(const Plan& plan, const PlannedFault& fault, const brownout_flow_key& flow, Peer peer = Peer::kGiven);
// Does any fault hit only a part of the connections that it matches?
bool asks_for_share(const Plan& plan);

// How one packet of the flow fares that passes in this direction, by the programs' own rule.
struct Fate {
  std::string spared_as; // "dhcp", "metadata": what `allow` would have to have for any fault to hit it; empty: nothing
  struct OfFault {
    bool hit = false;
    std::vector<std::string> missed_by; // each filter of the match that alone keeps it away: "protocol", "port", ...
  };
  std::vector<OfFault> faults; // in file order; as if it were not spared
};
// `ports`: false for a protocol without ports, and for all but the first fragment.
Fate fate_of(const Plan& plan, const brownout_flow_key& flow, brownout_direction direction, bool ports);

// The longest that a latency fault can hold a packet by itself.
std::uint64_t longest_delay_ns(const Plan& plan, const PlannedFault& fault);
// As long as all of them together can hold one: what queues are sized by.
std::uint64_t longest_delay_ns(const Plan& plan);
// Where its delays lie: equal for symmetric jitter; a skewed table puts the median below or above the mean.
struct DelayCentre { double median_ns = 0, mean_ns = 0; };
DelayCentre centre_of_delay(const Plan& plan, const PlannedFault& fault);

// The sum of the planned delays of all latency faults over the directions each matches, for a TCP flow that all of
// them match: what the round trip is expected to gain, and the jitter around it.
struct ExpectedDelay { std::int64_t delay_ns = 0; std::int64_t jitter_ns = 0; };
ExpectedDelay expected_round_trip(const Plan& plan);

}  // namespace brownout::plan
