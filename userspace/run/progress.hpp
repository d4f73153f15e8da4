// SPDX-License-Identifier: MIT
// What a person watches, on stderr: lines that stay, and below them, on a terminal, how the drill stands. Elsewhere that is a
// line now and then. None of it is ever waited for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "live_state.hpp"
#include "outlet.hpp"

namespace brownout::run {

struct Options;

struct Look { bool live = false, colour = false; };
// By options, what the descriptor is, TERM and NO_COLOR.
Look look_of(const Options& options, int fd);

class Progress {
 public:
  explicit Progress(const Look& look, int fd = 2) : live_(look.live), outlet_(fd, look.colour) {}

  // Something happened: stays on the screen.
  void note(std::string_view text);
  // The same of something that may happen a thousand times, with its own time.
  void event(std::string line) { outlet_.line(std::move(line), Outlet::Weight::kLight); }
  // Is it time to show() again? Some times a second.
  bool due(std::int64_t now_ns);
  // A line where there is no view: for each phase, and every 10 s.
  void show(LiveState state);

 private:
  static constexpr std::int64_t kInterval = 250'000'000;
  static constexpr std::int64_t kLineInterval = 10'000'000'000;

  bool live_;
  std::int64_t next_ns_ = 0, next_line_ns_ = 0;
  std::string phase_; // of the last line
  Outlet outlet_;
};

// "8 m", "42 s": what is left, for a person.
std::string human_duration(std::int64_t ns);

}  // namespace brownout::run
