// SPDX-License-Identifier: MIT
// Keeps the running counts that a LiveState is made of. Whatever passes the loop anyway is seen here once; nothing is read for
// it, and nothing that is kept grows with the drill.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "live_gates.hpp"
#include "live_state.hpp"

#include "brownout/events.hpp"

namespace brownout::run {

// What the loop waits for.
struct Step {
  std::string doing;
  std::int64_t begun_ns = 0, ends_ns = 0; // 0: nobody knows
  bool gives_up = false;
};

class LiveWatch {
 public:
  explicit LiveWatch(const plan::Plan& plan);

  void see(const brownout_event& event);
  void see(const events::NameRecord& name);
  void see(const events::Snapshot& snapshot);
  void see(const events::CounterSample& sample);
  void see(const brownout_trace_counters& totals, std::int64_t now_ns);
  // The app's figures are held against what they were now.
  void begin_faults();

  LiveState state(std::uint32_t phase, const Step& step, std::int64_t now_ns) const;
  // One line for each gate that stands otherwise than when this was last asked.
  std::vector<std::string> turned() { return gates_.turned(); }
  // What the peer of an event is called; empty where nobody knows. Redacted as the evidence is.
  std::string name_of(const brownout_event& event) const;

 private:
  static constexpr std::size_t kMostNames = 4096;
  struct Point { std::int64_t t_ns = 0; std::uint64_t completed = 0; };

  void add_calls(LiveState& state) const;
  void add_injected(LiveState& state) const;
  void add_caps(LiveState& state) const;

  const plan::Plan& plan_;
  Redactor redactor_;
  LiveGates gates_;
  std::array<std::uint64_t, BROWNOUT_EVENT_KINDS> failures_{};
  std::uint64_t failures_elsewhere_ = 0;
  bool tracing_ = false, armed_ = false;
  brownout_trace_counters totals_{};
  std::deque<Point> points_; // of the last second
  brownout_inject_counters inject_{};
  std::vector<brownout_fault_counters> faults_;
  std::array<kernel::DelayFigures, BROWNOUT_DIRECTIONS> delays_{};
  std::unordered_map<std::string, std::string> names_; // by address
};

}  // namespace brownout::run
