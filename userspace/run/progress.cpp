// SPDX-License-Identifier: MIT
#include "progress.hpp"

#include <algorithm>
#include <cstdio>

#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "brownout/tell.hpp"
#include "brownout/text.hpp"

namespace brownout::run {
namespace {

constexpr std::int64_t kTerminalInterval = 200'000'000;
constexpr std::int64_t kLineInterval = 5'000'000'000;

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 8 ? size.ws_col : 80;
}

// A live line must never wrap, or it cannot be repainted; cut at a character, not in the middle of one.
std::string_view cut(std::string_view text, std::size_t columns) {
  std::size_t end = 0, width = 0;
  while (end < text.size() && width < columns) {
    ++end;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    ++width;
  }
  return text.substr(0, end);
}

}  // namespace

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1) {}
Progress::~Progress() { erase(); }

void Progress::erase() {
  if (painted_) tell("\r\033[K");
  painted_ = false;
}

void Progress::note(std::string_view text) {
  erase();
  tell(fmt::format("{} {}\n", format_utc(realtime_ns()).substr(0, 23) + "Z", visible_lines(text)));
  next_status_ns_ = 0;
}

void Progress::status(std::string_view status) {
  const std::int64_t now = monotonic_ns();
  if (now < next_status_ns_) return;
  next_status_ns_ = now + (terminal_ ? kTerminalInterval : kLineInterval);
  const auto text = visible(status);
  if (!terminal_) {
    tell(fmt::format("{} {}\n", format_utc(realtime_ns()).substr(0, 23) + "Z", text));
    return;
  }
  tell(fmt::format("\r\033[K{}", cut(text, terminal_width() - 1)));
  painted_ = true;
}

std::string human_duration(std::int64_t ns) {
  const std::int64_t seconds = std::max<std::int64_t>(0, (ns + 999'999'999) / 1'000'000'000);
  return seconds >= 120 ? fmt::format("{} m", (seconds + 30) / 60) : fmt::format("{} s", seconds);
}

}  // namespace brownout::run
