// SPDX-License-Identifier: MIT
// What a person sees while a drill runs: from the state alone, on any screen.
#include <algorithm>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "../../userspace/run/live_view.hpp"

namespace run_live_view_test {

using namespace brownout::run;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

LiveState injecting() {
  LiveState state{.phase = "inject", .elapsed_ns = 12 * kSecond, .left_ns = 48 * kSecond};
  state.tracing = true;
  state.calls_per_second = 19.84;
  state.completed = 412;
  state.failed = 14;
  state.in_flight = 2;
  state.failures = {{"closed_unanswered", 12}, {"connect_timeout", 2}};
  state.failures_elsewhere = 3;
  state.armed = true;
  state.faults = {{.label = "latency 300ms egress tcp", .delays = true, .matched = 410, .decided = 410, .applied = 402},
                  {.label = "loss 8% tcp", .planned_rate = 0.08, .matched = 400, .decided = 31, .applied = 31}};
  state.dropped = 31;
  state.delayed = 402;
  state.delays = {{"egress", "median 301 ms, longest 322 ms"}};
  state.app = {{.name = "error_count", .before = 0, .now = 3}, {.name = "api_calls", .before = 7, .now = 7}};
  state.gates = {{.name = "error_count", .demand = "at least 1", .standing = LiveState::Standing::kMet, .grown = 3},
                 {.name = "counter /retries", .demand = "at most 5", .standing = LiveState::Standing::kExceeded, .grown = 9}};
  state.caps = {{.unit = "packets", .used = 433, .most = 1000}, {.unit = "connections", .most = 4, .reached = true}};
  state.lost = {{"failures", 5}};
  return state;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const auto& line : lines) all += line + "\n";
  return all;
}

}  // namespace

TEST_CASE("the view says all that a person asks of a drill") {
  CHECK(joined(render_live(injecting(), {.columns = 200})) ==
        "inject   12 s, left: 48 s\n"
        "LOST     5 failures\n"
        "calls    19.8/s, 2 in flight, 412 completed, 14 failed\n"
        "failed   closed_unanswered 12, connect_timeout 2; 3 where no fault acts\n"
        "fault 1  402 of 410 packets delayed: latency 300ms egress tcp\n"
        "fault 2  31 of 400 packets dropped, 7.75 % of 8 % planned: loss 8% tcp\n"
        "delays   egress: median 301 ms, longest 322 ms\n"
        "app      error_count 0 -> 3, api_calls 7\n"
        "gate 1   met: error_count grew by 3, at least 1 wanted\n"
        "gate 2   exceeded: counter /retries grew by 9, at most 5 wanted\n"
        "caps     433 of 1000 packets, reached: at most of 4 connections\n");
}

TEST_CASE("a line is narrower than the screen, and there are fewer of them than it has rows") {
  const auto columns = GENERATE(1UL, 20UL, 80UL, 200UL);
  const auto rows = GENERATE(2UL, 6UL, 24UL);
  auto state = injecting();
  state.faults[0].label = std::string(300, 'x');
  state.app[0].name = "注文エラー\u0301の数😀注文エラーの数注文エラーの数注文エラーの数注文エラーの数";
  const auto lines = render_live(state, {.columns = columns, .rows = rows});
  CHECK(lines.size() < rows);
  for (const auto& line : lines) CHECK(display_width(line) < std::max(columns, 2UL));
}

TEST_CASE("wide characters take two columns, combining ones none, and none is cut in half") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("注文") == 4);
  CHECK(display_width("e\u0301") == 1);
  CHECK(cut_to_width("注文", 3) == "注");
  CHECK(cut_to_width("a注", 2) == "a");
  CHECK(cut_to_width("e\u0301x", 1) == "e\u0301");
  CHECK(cut_to_width("\xff\xfe", 1) == "\xff");
}

TEST_CASE("without colour there is no escape, with it each one is taken back") {
  for (const auto& line : render_live(injecting(), {.columns = 200})) CHECK(line.find('\033') == std::string::npos);
  const auto coloured = joined(render_live(injecting(), {.columns = 200, .colour = true}));
  CHECK(coloured.contains("\033[32mmet\033[0m"));
  CHECK(coloured.contains("\033[31m14 failed\033[0m"));
  CHECK(coloured.contains("\033[1;33m5 failures\033[0m"));
  const auto narrow = joined(render_live(injecting(), {.columns = 12, .colour = true}));
  const auto count = [&narrow](std::string_view what) {
    std::size_t found = 0;
    for (auto at = narrow.find(what); at != std::string::npos; at = narrow.find(what, at + 1)) ++found;
    return found;
  };
  CHECK(count("\033[") == 2 * count("\033[0m"));
}

TEST_CASE("what a container writes steers no terminal") {
  auto state = injecting();
  state.app[0].name = "error\033[2J\r\n\u202e";
  const auto shown = joined(render_live(state, {.columns = 200})) + render_progress(state);
  CHECK(shown.find('\033') == std::string::npos);
  CHECK(shown.find('\r') == std::string::npos);
  CHECK(shown.contains("error?[2J??? 0 -> 3"));
}

TEST_CASE("a phase that waits says for what, and what comes of it") {
  LiveState state{.phase = "waiting", .doing = "pressure, 3 of 10 calls within 10 s", .elapsed_ns = 2 * kSecond,
                  .left_ns = 13 * kSecond, .gives_up = true};
  CHECK(joined(render_live(state, {})) == "waiting  2 s, gives up in 13 s: pressure, 3 of 10 calls within 10 s\n");
  state = {.phase = "settle", .elapsed_ns = kSecond};
  CHECK(joined(render_live(state, {})) == "settle   1 s\n");
}

TEST_CASE("a pipe gets one line of keys and values") {
  CHECK(render_progress(injecting()) ==
        "progress phase=inject elapsed=12s left=48s calls_per_s=19.8 in_flight=2 completed=412 failed=14 dropped=31 "
        "delayed=402 error_count=0->3 api_calls=7->7 gate_1=met gate_2=exceeded lost=5");
}

TEST_CASE("the view is painted over itself, and what is printed stays above it") {
  LivePainter painter;
  const Screen screen;
  CHECK(painter.paint("before\n", nullptr, screen) == "before\n");
  const LiveState one{.phase = "baseline"}, two{.phase = "inject"};
  CHECK(painter.paint("", &one, screen) == "\033[?25lbaseline 0 s\033[K\n\033[J\033[?25h");
  CHECK(painter.paint("line\n", &two, screen) ==
        "\033[?25l\033[1A\r\033[Jline\ninject   0 s\033[K\n\033[J\033[?25h");
  CHECK(painter.paint("", nullptr, screen) == "\033[?25l\033[1A\r\033[J\033[J\033[?25h");
  CHECK(painter.paint("after\n", nullptr, screen) == "after\n");
}

}  // namespace run_live_view_test
