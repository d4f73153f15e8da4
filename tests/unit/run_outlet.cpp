// SPDX-License-Identifier: MIT
// Nobody may have to wait for whoever reads stderr.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <regex>
#include <string>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "../../userspace/run/event_text.hpp"
#include "../../userspace/run/outlet.hpp"
#include "../../userspace/run/progress.hpp"
#include "brownout/clock.hpp"
#include "brownout/run.hpp"

namespace run_outlet_test {

using namespace brownout;
using run::Outlet;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

struct Pipe {
  UniqueFd read_end, write_end;
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    read_end = UniqueFd{ends[0]};
    write_end = UniqueFd{ends[1]};
  }
  std::string read_all() {
    write_end = {};
    std::string text;
    std::array<char, 4096> piece{};
    for (ssize_t got = 0; (got = ::read(read_end.get(), piece.data(), piece.size())) > 0;)
      text.append(piece.data(), static_cast<std::size_t>(got));
    return text;
  }
};

// It may be said more than once: each time that there was room.
std::size_t count_left_out(const std::string& text) {
  static const std::regex said{"(\\d+) lines were left out here: nobody read them\n"};
  std::size_t count = 0;
  for (std::sregex_iterator found{text.begin(), text.end(), said}, none; found != none; ++found) count += std::stoul((*found)[1]);
  return count;
}

std::size_t count_lines(const std::string& text, std::string_view what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("a reader that does not read holds nobody up, and hears how much it missed") {
  constexpr int kLines = 100'000;
  Pipe pipe;
  std::string text;
  {
    std::optional<Outlet> outlet(std::in_place, pipe.write_end.get(), false);
    const auto begun = monotonic_ns();
    for (int i = 0; i < kLines; ++i) outlet->line(fmt::format("line {:060}", i), Outlet::Weight::kLight);
    outlet->line("this matters", Outlet::Weight::kHeavy);
    CHECK(monotonic_ns() - begun < kSecond);
    std::thread reader([&] { text = pipe.read_all(); });
    outlet.reset();
    pipe.write_end = {};
    reader.join();
  }
  const auto told = count_lines(text, "line 0");
  CHECK(text.starts_with("line 0"));
  CHECK(told < kLines);
  CHECK(count_lines(text, "this matters") == 1);
  CHECK(count_left_out(text) == kLines - told);
}

TEST_CASE("who never reads is waited for no longer than that") {
  const Pipe pipe;
  const auto begun = monotonic_ns();
  {
    Outlet outlet(pipe.write_end.get(), false);
    for (int i = 0; i < 10'000; ++i) outlet.line(std::string(100, 'x'), Outlet::Weight::kHeavy);
  }
  const auto took = monotonic_ns() - begun;
  CHECK(took >= Outlet::kPatience / 2);
  CHECK(took < 10 * kSecond);
}

TEST_CASE("who went away is nobody's error") {
  Pipe pipe;
  Outlet outlet(pipe.write_end.get(), false);
  pipe.read_end = {};
  outlet.line("one", Outlet::Weight::kHeavy);
  outlet.line("two", Outlet::Weight::kHeavy);
}

TEST_CASE("stderr that is shared stays as it was opened") {
  const Pipe pipe;
  const Outlet outlet(pipe.write_end.get(), false);
  CHECK((::fcntl(pipe.write_end.get(), F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("a view is for terminals that can, and that want one") {
  CHECK_FALSE(run::look_of({}, Pipe{}.write_end.get()).live);
  const UniqueFd terminal{::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)};
  REQUIRE(terminal);
  ::setenv("TERM", "xterm", 1);
  ::unsetenv("NO_COLOR");
  CHECK(run::look_of({}, terminal.get()).live);
  CHECK(run::look_of({}, terminal.get()).colour);
  CHECK_FALSE(run::look_of({.plain = true}, terminal.get()).live);
  CHECK_FALSE(run::look_of({.json = true}, terminal.get()).live);
  CHECK_FALSE(run::look_of({.colour = false}, terminal.get()).colour);
  ::setenv("NO_COLOR", "1", 1);
  CHECK(run::look_of({}, terminal.get()).live);
  CHECK_FALSE(run::look_of({}, terminal.get()).colour);
  ::setenv("TERM", "dumb", 1);
  CHECK_FALSE(run::look_of({}, terminal.get()).live);
}

TEST_CASE("an event is one line, with what a person asks of it") {
  brownout_event event{};
  event.t_mono_ns = 1'500'000'000;
  event.kind = BROWNOUT_EVENT_CLOSED_UNANSWERED;
  event.flags = BROWNOUT_EVENT_INFERRED | BROWNOUT_EVENT_OWNER_KNOWN;
  REQUIRE(events::parse_endpoint("10.0.0.2:5000", event.flow.local_address, event.flow.local_port));
  REQUIRE(events::parse_endpoint("10.0.0.1:443", event.flow.peer_address, event.flow.peer_port));
  event.pid = 42;
  std::snprintf(event.comm, sizeof event.comm, "py\033[2J");
  event.call_start_ns = 1;
  event.duration_ns = 1'023'400'000;
  event.held[BROWNOUT_EGRESS] = 3;
  CHECK(run::event_text(event, "api.test\n", 0) ==
        "1970-01-01T00:00:01.500Z event closed_unanswered inferred py?[2J[42] 10.0.0.2:5000 -> 10.0.0.1:443 (api.test?) "
        "after 1023.4 ms, injected on it: 0 dropped, 3 delayed");
  brownout_event other{};
  other.kind = BROWNOUT_EVENT_CONNECT_TIMEOUT;
  other.error = 110;
  CHECK(run::event_text(other, "", 0) == "1970-01-01T00:00:00.000Z event connect_timeout certain owner unknown, ETIMEDOUT");
}

TEST_CASE("a burst of events is counted") {
  run::EventBudget budget;
  std::uint64_t told = 0;
  for (int i = 0; i < 1000; ++i) told += budget.admits(kSecond + i) ? 1 : 0;
  CHECK(told == run::EventBudget::kMost);
  CHECK_FALSE(budget.left_out(kSecond + 1000));
  CHECK(budget.left_out(2 * kSecond) == "800 more events in this second, in the evidence alone");
  CHECK_FALSE(budget.left_out(2 * kSecond));
  CHECK(budget.admits(2 * kSecond));
}

}  // namespace run_outlet_test
