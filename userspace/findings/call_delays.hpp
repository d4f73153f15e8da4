// SPDX-License-Identifier: MIT
// What the calls' own events tell about delays, folded one by one.
#pragma once

#include <cmath>
#include <optional>
#include <vector>

#include "brownout/findings.hpp"
#include "population.hpp"

namespace brownout::findings {

// How far a measured delay of that size may be off.
double delay_tolerance_ms(double expected_ms, double slack_ms);

// The median of what a skewed distribution adds lies between its median and its mean, nearer to the mean the more
// delays are added up: the middle, and how far it may be off.
struct Expected { double ms = 0, slack_ms = 0; };
Expected expected_of(const plan::Plan& plan, const plan::PlannedFault& fault);

// Calls on flows that one fault matches. Where different faults delay different flows, each call of the window is put
// back by what its own flow was to be delayed, so that one median can be compared.
struct CallDelays {
  std::uint64_t baseline = 0, window = 0;                    // answered
  std::optional<double> baseline_ms, window_ms;              // medians; the window's: what is over the planned delay
  double slowest_baseline_ms = 0;
  std::uint64_t too_fast = 0; // of the window, by more than the tolerance
  std::uint64_t baseline_smoothed = 0, window_smoothed = 0;  // that came with a smoothed round trip
  std::optional<double> baseline_srtt_ms, window_srtt_ms;    // medians, as above
  std::uint64_t cut_off = 0;  // calls of the window that ended without an answer while held
  double longest_cut_off_ms = 0;
  double least_expected_ms = HUGE_VAL, most_expected_ms = 0;
  double slack_ms = 0;        // the largest
  bool uniform = true;        // all calls that the plan hits are to wait for the longest of those delays
};

// Of all latency faults of a plan.
class CallDelayFold {
 public:
  CallDelayFold(const plan::Plan& plan, const events::Evidence& evidence);
  Result<> take(const brownout_event& event);
  Result<std::map<std::size_t, CallDelays>> finish(); // by position of the fault in the plan

 private:
  struct Fault {
    std::size_t position = 0;
    brownout_match match{};
    Expected expected; // of all its directions together
    Population baseline_ms, window_ms, baseline_srtt_ms, window_srtt_ms;
    CallDelays delays;
  };

  Expected expected_on(const brownout_flow_key& flow) const;
  Result<> take_call(const brownout_event& event, bool in_window, const Expected& expected, Fault& fault) const;
  Result<> finish(Fault& fault) const;

  std::uint64_t seed_ = 0;
  std::optional<events::Window> baseline_, window_;
  std::vector<Fault> faults_;
  double least_on_any_ms_ = HUGE_VAL, most_on_any_ms_ = -HUGE_VAL; // of all calls that the plan hits
};

}  // namespace brownout::findings
