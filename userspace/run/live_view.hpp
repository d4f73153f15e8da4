// SPDX-License-Identifier: MIT
// How a LiveState looks: pure functions, from state and screen to text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "live_state.hpp"

namespace brownout::run {

struct Screen {
  std::size_t columns = 80, rows = 24;
  bool colour = false;
};

// In columns of a terminal: East Asian wide characters and emoji take two, combining marks none.
std::size_t display_width(std::string_view text);
// As much of it as fits, never half a character.
std::string_view cut_to_width(std::string_view text, std::size_t columns);

// The lines of the view, each narrower than the screen, fewer than it has rows.
std::vector<std::string> render_live(const LiveState& state, const Screen& screen);
// The same in one line of "key=value", for a pipe.
std::string render_progress(const LiveState& state);

// Keeps the view below whatever is printed: what is to be written to a terminal so that `lines` (whole, each with its
// line feed) stand above it, and `state` is what it shows; null: no view any more.
class LivePainter {
 public:
  std::string paint(std::string_view lines, const LiveState* state, const Screen& screen);

 private:
  std::size_t drawn_ = 0; // lines, the cursor is in the one below them
};

}  // namespace brownout::run
