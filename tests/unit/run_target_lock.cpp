// SPDX-License-Identifier: MIT
// One drill on a target at a time, whoever ends how.
#include <array>
#include <chrono>
#include <csignal>
#include <map>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include "../../userspace/run/target_lock.hpp"
#include "../support/scratch_directory.hpp"
#include "brownout/clock.hpp"
#include "brownout/run.hpp"

namespace run_target_lock_test {

using namespace brownout;
using Catch::Matchers::ContainsSubstring;
using run::TargetLock;
using test::ScratchDirectory;

namespace {

target::Target target_in(std::uint64_t netns) {
  target::Target target;
  target.name = "exchange-bot";
  target.netns_inode = netns;
  return target;
}

bool is_empty(const ScratchDirectory& scratch) { return std::filesystem::is_empty(scratch.path()); }

}  // namespace

TEST_CASE("a second drill on a target is refused with the first one's name, and may come when that has ended") {
  const ScratchDirectory scratch;
  {
    const auto first = TargetLock::take(target_in(7), "FIRST", scratch.path());
    REQUIRE(first);
    const auto second = TargetLock::take(target_in(7), "SECOND", scratch.path());
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::kRefused);
    CHECK_THAT(second.error().what, ContainsSubstring(fmt::format("drill \"FIRST\" (pid {})", ::getpid())));
    CHECK_THAT(second.error().what, ContainsSubstring("exchange-bot"));
    CHECK(TargetLock::take(target_in(8), "ELSEWHERE", scratch.path()));
  }
  CHECK(is_empty(scratch));
  CHECK(TargetLock::take(target_in(7), "SECOND", scratch.path()));
}

TEST_CASE("drills that run are listed by their locks, and no others") {
  const ScratchDirectory scratch;
  CHECK(run::running_drills(scratch / "absent")->empty());
  for (const auto& [file, text] : std::map<std::string, std::string>{
           {"netns-1.lock", ""},
           {"netns-2.lock", "{\"drill\": 1, \"pid\": \"x\"}"},
           {"netns-3.lock", R"({"drill": "DEAD", "pid": 1, "start_ticks": 18446744073709551615})"},
           {"other.jsonl", "{}"}})
    test::spill(scratch / file, text);
  {
    const auto one = TargetLock::take(target_in(7), "ONE", scratch.path());
    const auto two = TargetLock::take(target_in(8), "TWO", scratch.path());
    const auto running = run::running_drills(scratch.path());
    REQUIRE(running);
    REQUIRE(running->size() == 2);
    for (const auto& drill : *running) {
      CHECK((drill.drill == "ONE" || drill.drill == "TWO"));
      CHECK(drill.target == "exchange-bot");
      CHECK(drill.pid == ::getpid());
      CHECK(parse_utc(drill.since_utc).has_value());
    }
  }
  CHECK(run::running_drills(scratch.path())->empty());
}

TEST_CASE("a lock dies with its owner") {
  const ScratchDirectory scratch;
  std::array<int, 2> ready{};
  REQUIRE(::pipe(ready.data()) == 0);
  const pid_t owner = ::fork();
  if (owner == 0) {
    const auto lock = TargetLock::take(target_in(7), "KILLED", scratch.path());
    static_cast<void>(!::write(ready[1], lock ? "y" : "n", 1));
    for (;;) ::pause();
  }
  char taken = 0;
  REQUIRE(::read(ready[0], &taken, 1) == 1);
  CHECK(taken == 'y');
  CHECK_FALSE(TargetLock::take(target_in(7), "TOO EARLY", scratch.path()));
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  CHECK(TargetLock::take(target_in(7), "NEXT", scratch.path()));
  CHECK(is_empty(scratch));
}

TEST_CASE("what a killed drill left in the directory of locks goes with its journal, and a taker waits for that moment") {
  const ScratchDirectory scratch;
  const auto path = TargetLock::path_for(target_in(7), scratch.path());
  test::spill(path, R"({"drill":"KILLED","pid":4194305,"start_ticks":1})");
  const auto journal = scratch / "4194305-1.jsonl";
  test::spill(journal, R"({"owner":{"netns":0,"pid":4194305,"start_ticks":1}})"
                       "\n" +
                           nlohmann::json{{"object", "lock"}, {"path", path.string()}}.dump() + "\n");
  SECTION("clean removes it") {
    const auto report = kernel::clean(scratch.path());
    REQUIRE(report);
    CHECK(report->failed.empty());
    CHECK_FALSE(std::filesystem::exists(path));
    // It names nothing that is of a network namespace: it goes, whichever that was.
    CHECK_FALSE(std::filesystem::exists(journal));
  }
  SECTION("but not from under a drill that has it now") {
    const auto held = TargetLock::take(target_in(7), "NOW", scratch.path());
    REQUIRE(held);
    REQUIRE(kernel::clean(scratch.path()));
    CHECK(std::filesystem::exists(path));
    CHECK_FALSE(TargetLock::take(target_in(7), "SECOND", scratch.path()));
  }
  SECTION("whoever holds it without a name of the living is waited for") {
    const auto held = open_file(path, O_RDWR);
    REQUIRE(held);
    REQUIRE(::flock(held->get(), LOCK_EX) == 0);
    std::jthread cleaner{[&] {
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
      std::filesystem::remove(path);
      ::flock(held->get(), LOCK_UN);
    }};
    CHECK(TargetLock::take(target_in(7), "NEXT", scratch.path()));
  }
}

}  // namespace run_target_lock_test
