// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "brownout/run.hpp"
#include "brownout/tell.hpp"
#include "brownout/text.hpp"

namespace brownout::run {
namespace {

std::string stamped(std::string_view text) {
  return fmt::format("{}Z {}", format_utc(realtime_ns()).substr(0, 23), text);
}

}  // namespace

Look look_of(const Options& options, int fd) {
  const char* named = std::getenv("TERM");
  const std::string_view terminal{named != nullptr ? named : ""};
  const bool live = !options.plain && !options.json && ::isatty(fd) == 1 && !terminal.empty() && terminal != "dumb";
  return {.live = live, .colour = live && options.colour && !colour_refused()};
}

void Progress::note(std::string_view text) {
  outlet_.line(stamped(visible_lines(text)), Outlet::Weight::kHeavy);
  next_ns_ = 0;
}

bool Progress::due(std::int64_t now_ns) {
  if (now_ns < next_ns_) return false;
  next_ns_ = now_ns + kInterval;
  return true;
}

void Progress::show(LiveState state) {
  if (live_) return outlet_.show(std::move(state));
  const std::int64_t now = monotonic_ns();
  if (state.phase == phase_ && now < next_line_ns_) return;
  next_line_ns_ = now + kLineInterval;
  phase_ = state.phase;
  outlet_.line(stamped(render_progress(state)), Outlet::Weight::kHeavy);
}

std::string human_duration(std::int64_t ns) {
  const std::int64_t seconds = std::max<std::int64_t>(0, (ns + 999'999'999) / 1'000'000'000);
  return seconds >= 120 ? fmt::format("{} m", (seconds + 30) / 60) : fmt::format("{} s", seconds);
}

}  // namespace brownout::run
