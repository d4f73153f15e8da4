// SPDX-License-Identifier: MIT
// When the caps and conditions of a drill end it, and with which words.
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include "../../userspace/run/guard_watch.hpp"
#include "brownout/clock.hpp"

namespace run_guard_watch_test {

using namespace brownout;
using namespace std::chrono_literals;

namespace {

struct Watched {
  plan::Plan plan;
  target::Target target{.pid = ::getpid()};
  explicit Watched(drill::Drill drill) { plan.drill = std::move(drill); }
};

drill::Drill aborting_when(decltype(drill::AbortCondition::what) what) {
  drill::Drill drill;
  drill.abort_when = {{.what = std::move(what), .line = 12}};
  return drill;
}

events::Snapshot errors(std::int64_t count) {
  events::Snapshot snapshot;
  snapshot.error_count = count;
  return snapshot;
}

}  // namespace

TEST_CASE("a cap that the programs kept is named with its figure") {
  drill::Drill drill;
  drill.caps.max_bytes = 4096;
  const Watched watched{drill};
  run::GuardWatch guards{watched.plan, watched.target};
  REQUIRE(guards.begin(0));
  brownout_inject_counters injected{};
  CHECK_FALSE(guards.look(injected, 0));
  injected.capped[BROWNOUT_CAP_BYTES] = 1;
  const auto breach = guards.look(injected, 0);
  REQUIRE(breach);
  CHECK(breach->ending == events::Ending::kCapReached);
  CHECK(breach->detail.starts_with("caps.max_bytes: 4096 bytes"));
}

TEST_CASE("the app's errors are counted from the last version before the faults") {
  const Watched watched{aborting_when(drill::ErrorCountLimit{.max_increase = 2})};
  run::GuardWatch guards{watched.plan, watched.target};
  guards.see(errors(10));
  guards.see(errors(500));
  REQUIRE(guards.begin(0));
  CHECK_FALSE(guards.look({}, 0));
  guards.see(errors(502));
  CHECK_FALSE(guards.look({}, 0));
  SECTION("one more is too many") {
    guards.see(errors(503));
    const auto breach = guards.look({}, 0);
    REQUIRE(breach);
    CHECK(breach->ending == events::Ending::kAborted);
    CHECK(breach->detail == "abort_when[0]: the app's error_count grew by 3, 2 allowed");
  }
  SECTION("a count that begins anew goes on from where it was") {
    guards.see(errors(0));
    CHECK_FALSE(guards.look({}, 0));
    guards.see(errors(1));
    CHECK(guards.look({}, 0));
  }
}

TEST_CASE("the first version that can be read begins the count when there was none before") {
  const Watched watched{aborting_when(drill::ErrorCountLimit{.max_increase = 0})};
  run::GuardWatch guards{watched.plan, watched.target};
  guards.see({});
  REQUIRE(guards.begin(0));
  guards.see(errors(7));
  CHECK_FALSE(guards.look({}, 0));
  guards.see(errors(8));
  CHECK(guards.look({}, 0));
}

TEST_CASE("silence lasts from the last completed call") {
  const Watched watched{aborting_when(drill::NoCompletedCall{.time = 100ms})};
  run::GuardWatch guards{watched.plan, watched.target};
  REQUIRE(guards.begin(5));
  const auto begun = monotonic_ns();
  std::uint64_t calls = 5;
  while (monotonic_ns() < begun + 300'000'000) {
    CHECK_FALSE(guards.look({}, ++calls));
    std::this_thread::sleep_for(1ms);
  }
  const auto last = monotonic_ns();
  auto breach = guards.look({}, calls);
  while (!breach && monotonic_ns() < last + 5'000'000'000) breach = guards.look({}, calls);
  REQUIRE(breach);
  CHECK(monotonic_ns() - last > 90'000'000);
  CHECK(breach->detail == "abort_when[0]: no call was completed for 100ms");
}

TEST_CASE("a counter of the kernel is watched by its name in nstat, and another one is refused") {
  const Watched known{aborting_when(drill::KernelCounterLimit{.name = "TcpActiveOpens", .max_increase = 1'000'000'000})};
  run::GuardWatch guards{known.plan, known.target};
  CHECK(guards.check_names());
  REQUIRE(guards.begin(0));
  CHECK_FALSE(guards.look({}, 0));

  const Watched unknown{aborting_when(drill::KernelCounterLimit{.name = "TcpNoSuchThing", .max_increase = 1})};
  const auto refused = run::GuardWatch(unknown.plan, unknown.target).check_names();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kInvalidDrill);
  CHECK(refused.error().what.contains("(drill line 12)"));
  CHECK(refused.error().what.contains("'TcpNoSuchThing'"));
}

TEST_CASE("a condition that nobody can look at any more ends the drill") {
  Watched watched{aborting_when(drill::KernelCounterLimit{.name = "TcpActiveOpens", .max_increase = 1'000'000'000})};
  run::GuardWatch guards{watched.plan, watched.target};
  REQUIRE(guards.begin(0));
  watched.target.pid = 0x7fffffff;  // there is no such process
  const auto begun = monotonic_ns();
  std::optional<run::GuardWatch::Breach> breach;
  while (!breach && monotonic_ns() < begun + 10'000'000'000) {
    breach = guards.look({}, 0);
    std::this_thread::sleep_for(1ms);
  }
  REQUIRE(breach);
  CHECK(monotonic_ns() - begun > 900'000'000);
  CHECK(breach->ending == events::Ending::kAborted);
  CHECK(breach->detail.starts_with("abort_when[0]: TcpActiveOpens cannot be read: "));
  CHECK(breach->detail.contains("No such file"));
}

}  // namespace run_guard_watch_test
