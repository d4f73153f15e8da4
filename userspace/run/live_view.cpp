// SPDX-License-Identifier: MIT
#include "live_view.hpp"

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cwchar>

#include <fmt/format.h>

#include "brownout/clock.hpp"
#include "brownout/text.hpp"
#include "progress.hpp"

namespace brownout::run {
namespace {

enum class Style : std::uint8_t { kPlain, kHeading, kGood, kBad, kWarning };
struct Span { std::string text; Style style = Style::kPlain; };
struct Row { std::string label; std::vector<Span> spans; };

constexpr std::size_t kLabel = 9;
constexpr std::size_t kMostFaults = 4, kMostGates = 6;

const char* code_of(Style style) {
  switch (style) {
    case Style::kHeading: return "\033[1m";
    case Style::kGood: return "\033[32m";
    case Style::kBad: return "\033[31m";
    case Style::kWarning: return "\033[1;33m";
    case Style::kPlain: break;
  }
  return "";
}

// The process keeps its own locale: only how wide a character is, is asked of this one.
::locale_t unicode() {
  static const ::locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

std::size_t width_of(char32_t point) {
  if (point < 0x7f) return 1;
  if (unicode() == nullptr) return 2;  // too narrow a line is only ugly
  const auto before = ::uselocale(unicode());
  const int width = ::wcwidth(static_cast<wchar_t>(point));
  ::uselocale(before);
  return width < 0 ? 2 : static_cast<std::size_t>(width);
}

std::string painted(const Row& row, const Screen& screen) {
  const std::size_t columns = screen.columns > 1 ? screen.columns - 1 : 1;
  std::string line;
  std::size_t used = 0;
  const auto add = [&](std::string_view text, Style style) {
    const auto fitting = cut_to_width(text, columns - used);
    used += display_width(fitting);
    const bool coloured = screen.colour && style != Style::kPlain && !fitting.empty();
    line += coloured ? fmt::format("{}{}\033[0m", code_of(style), fitting) : std::string(fitting);
    return fitting.size() == text.size();
  };
  if (!add(fmt::format("{:<{}}", row.label, kLabel), Style::kHeading)) return line;
  for (const auto& span : row.spans)
    if (!add(visible(span.text), span.style)) break;
  return line;
}

std::string number(const std::optional<double>& value) { return value ? fmt::format("{:.10g}", *value) : "-"; }

std::string percent(double fraction) { return fmt::format("{:.3g} %", fraction * 100); }

Row of_phase(const LiveState& state) {
  Row row{state.phase, {{human_duration(state.elapsed_ns)}}};
  if (state.left_ns)
    row.spans.push_back({fmt::format(", {} {}", state.gives_up ? "gives up in" : "left:", human_duration(*state.left_ns))});
  if (!state.doing.empty()) row.spans.push_back({": " + state.doing});
  return row;
}

Row of_calls(const LiveState& state) {
  return {"calls", {{fmt::format("{:.1f}/s, {} in flight, {} completed, ", state.calls_per_second, state.in_flight,
                                 state.completed)},
                    {fmt::format("{} failed", state.failed), state.failed > 0 ? Style::kBad : Style::kPlain}}};
}

Row of_failures(const LiveState& state) {
  std::string text;
  for (const auto& [kind, count] : state.failures)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", kind, count);
  Row row{"failed", {{text.empty() ? "none" : text, text.empty() ? Style::kPlain : Style::kBad}}};
  if (state.failures_elsewhere > 0)
    row.spans.push_back({fmt::format("; {} where no fault acts", state.failures_elsewhere)});
  return row;
}

Row of_fault(const LiveState::Fault& fault, std::size_t number) {
  const double rate = fault.matched == 0 ? 0 : static_cast<double>(fault.decided) / static_cast<double>(fault.matched);
  const auto packets = fmt::format("{} of {} packets", fault.applied, fault.matched);
  return {fmt::format("fault {}", number),
          {{fault.delays ? fmt::format("{} delayed", packets)
                         : fmt::format("{} dropped, {} of {} planned", packets, percent(rate), percent(fault.planned_rate))},
           {": " + fault.label}}};
}

void add_faults(const LiveState& state, std::vector<Row>& rows) {
  for (std::size_t i = 0; i < std::min(state.faults.size(), kMostFaults); ++i)
    rows.push_back(of_fault(state.faults[i], i + 1));
  if (state.faults.size() > kMostFaults)
    rows.push_back({"", {{fmt::format("and {} more faults", state.faults.size() - kMostFaults)}}});
  Row delays{"delays", {}};
  for (const auto& [direction, figures] : state.delays)
    delays.spans.push_back({fmt::format("{}{}: {}", delays.spans.empty() ? "" : "; ", direction, figures)});
  if (!delays.spans.empty()) rows.push_back(std::move(delays));
}

Row of_app(const LiveState& state) {
  std::string text;
  for (const auto& counter : state.app) {
    if (!text.empty()) text += ", ";
    text += counter.before && counter.before != counter.now
                ? fmt::format("{} {} -> {}", counter.name, number(counter.before), number(counter.now))
                : fmt::format("{} {}", counter.name, number(counter.now));
  }
  return {"app", {{text}}};
}

Style style_of(LiveState::Standing standing) {
  using enum LiveState::Standing;
  return standing == kMet ? Style::kGood : standing == kExceeded ? Style::kBad : Style::kPlain;
}

void add_gates(const LiveState& state, std::vector<Row>& rows) {
  for (std::size_t i = 0; i < std::min(state.gates.size(), kMostGates); ++i) {
    const auto& gate = state.gates[i];
    rows.push_back({fmt::format("gate {}", i + 1),
                    {{standing_name(gate.standing), style_of(gate.standing)},
                     {fmt::format(": {} grew by {}, {} wanted", gate.name, number(gate.grown), gate.demand)}}});
  }
  if (state.gates.size() > kMostGates)
    rows.push_back({"", {{fmt::format("and {} more gates", state.gates.size() - kMostGates)}}});
}

Row of_caps(const LiveState& state) {
  Row row{"caps", {}};
  for (const auto& cap : state.caps)
    row.spans.push_back({fmt::format("{}{}{} of {} {}", row.spans.empty() ? "" : ", ", cap.reached ? "reached: " : "",
                                     cap.used ? fmt::to_string(*cap.used) : "at most", cap.most, cap.unit),
                         cap.reached ? Style::kWarning : Style::kPlain});
  return row;
}

Row of_lost(const LiveState& state) {
  std::string text;
  for (const auto& [what, count] : state.lost) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  return {"LOST", {{text, Style::kWarning}}};
}

std::vector<Row> rows_of(const LiveState& state) {
  std::vector<Row> rows{of_phase(state)};
  if (state.tracing) {
    rows.push_back(of_calls(state));
    rows.push_back(of_failures(state));
  }
  if (state.armed) add_faults(state, rows);
  if (!state.app.empty()) rows.push_back(of_app(state));
  if (state.armed) add_gates(state, rows);
  if (!state.caps.empty()) rows.push_back(of_caps(state));
  // Never the line that a low screen has no room for.
  if (!state.lost.empty()) rows.insert(rows.begin() + 1, of_lost(state));
  return rows;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto character = first_character(text);
    width += character ? width_of(character->point) : 1;
    text.remove_prefix(character ? character->length : 1);
  }
  return width;
}

std::string_view cut_to_width(std::string_view text, std::size_t columns) {
  std::size_t end = 0, width = 0;
  while (end < text.size()) {
    const auto character = first_character(text.substr(end));
    width += character ? width_of(character->point) : 1;
    if (width > columns) break;
    end += character ? character->length : 1;
  }
  return text.substr(0, end);
}

std::vector<std::string> render_live(const LiveState& state, const Screen& screen) {
  std::vector<std::string> lines;
  for (const auto& row : rows_of(state)) {
    if (lines.size() + 1 >= screen.rows) break;
    lines.push_back(painted(row, screen));
  }
  return lines;
}

std::string render_progress(const LiveState& state) {
  auto line = fmt::format("progress phase={} elapsed={}s left={} calls_per_s={:.1f} in_flight={} completed={} failed={} "
                          "dropped={} delayed={}",
                          state.phase, state.elapsed_ns / kNsPerSecond,
                          state.left_ns ? fmt::format("{}s", *state.left_ns / kNsPerSecond) : "unknown", state.calls_per_second,
                          state.in_flight, state.completed, state.failed, state.dropped, state.delayed);
  for (const auto& counter : state.app)
    line += fmt::format(" {}={}", visible(counter.name),
                        counter.before ? fmt::format("{}->{}", number(counter.before), number(counter.now)) : number(counter.now));
  for (std::size_t i = 0; i < state.gates.size(); ++i) {
    auto standing = standing_name(state.gates[i].standing);
    std::ranges::replace(standing, ' ', '_');
    line += fmt::format(" gate_{}={}", i + 1, standing);
  }
  std::uint64_t lost = 0;
  for (const auto& [what, count] : state.lost) lost += count;
  line += fmt::format(" lost={}", lost);
  if (!state.doing.empty()) line += ": " + visible(state.doing);
  return line;
}

// The cursor is hidden while it wanders, never between two paintings: however the process ends, it is there.
std::string LivePainter::paint(std::string_view lines, const LiveState* state, const Screen& screen) {
  if (drawn_ == 0 && state == nullptr) return std::string(lines);
  std::string out = "\033[?25l";
  if (drawn_ > 0) out += fmt::format("\033[{}A\r", drawn_);
  if (!lines.empty() || state == nullptr) out += "\033[J";
  out += lines;
  drawn_ = 0;
  if (state != nullptr)
    for (const auto& line : render_live(*state, screen)) {
      out += line + "\033[K\n";
      ++drawn_;
    }
  return out + "\033[J\033[?25h";
}

}  // namespace brownout::run
