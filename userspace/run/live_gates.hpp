// SPDX-License-Identifier: MIT
// How the drill's gates stand by the app's own figures, and nothing else: the verdict asks besides whether it was the fault.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "live_state.hpp"

#include "brownout/events.hpp"

namespace brownout::run {

class LiveGates {
 public:
  explicit LiveGates(const plan::Plan& plan);

  void see(const events::Snapshot& snapshot);
  // From now on it is counted.
  void begin();

  std::vector<LiveState::Counter> counters() const;
  std::vector<LiveState::Gate> gates() const;
  // One line for each gate that stands otherwise than when this was last asked.
  std::vector<std::string> turned();

 private:
  struct Figure {
    std::optional<double> before, now;
    bool fell = false; // since begin(): how much it grew, nobody can say
  };
  LiveState::Gate stand(std::size_t index) const;
  std::optional<double> grown(std::size_t index) const;

  const plan::Plan& plan_;
  std::map<std::string, Figure> figures_; // by JSON pointer
  std::vector<std::uint64_t> errors_;     // by gate: new elements of error_events of its types
  std::vector<LiveState::Standing> stood_;
  bool begun_ = false;
};

}  // namespace brownout::run
