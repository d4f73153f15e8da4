// SPDX-License-Identifier: MIT
// The guardian, with the hooks that outlive a process: what SIGKILL leaves is undone without anybody's doing anything.
#include <csignal>
#include <fstream>
#include <set>

#include <catch2/catch_test_macros.hpp>

#include "../../userspace/run/guardian.hpp"
#include "support/await.hpp"
#include "support/inject_probe.hpp"
#include "support/inject_run.hpp"
#include "support/scratch_directory.hpp"

namespace run_guardian_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

// A process with a guardian and faults on clsact filters, and where its evidence would be.
class Guarded {
 public:
  Guarded(const VethRoom& room, const ScratchDirectory& scratch) : journals_(scratch / "journals") {
    std::filesystem::create_directories(scratch / "evidence");
    child_ = std::make_unique<Process>("injector", Place{.netns_of = room.host()}, [&](const Steps& steps) {
      const auto guardian = run::Guardian::start(journals_, BROWNOUT_BINARY);
      if (!guardian) return 1;
      spill(scratch / "guardian", std::to_string(guardian->pid()));
      InjectRun run{
          room,
          plan_of({FaultBuilder::latency(300ms)}),
          {.means = {.hook = kernel::HookKind::kClsact, .backend = drill::Backend::kDelayLine}, .journals = journals_}};
      const auto journal = kernel::Journal::open(journals_);
      if (!journal || !(*journal)->mention({{"object", "evidence"}, {"path", (scratch / "evidence").string()}}))
        return 2;
      steps.say('a');
      while (true) ::pause();
      return 0;
    });
    REQUIRE(child_->await() == 'a');
    guardian_ = std::stoi(slurp(scratch / "guardian"));
  }

  void kill() {
    ::kill(child_->pid(), SIGKILL);
    CHECK(child_->wait() == 128 + SIGKILL);
  }
  pid_t guardian() const { return guardian_; }
  bool guardian_runs() const { return ::kill(guardian_, 0) == 0; }
  std::size_t journals() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator{journals_})
      count += entry.path().extension() == ".jsonl";
    return count;
  }
  const std::filesystem::path& directory() const { return journals_; }

 private:
  std::filesystem::path journals_;
  std::unique_ptr<Process> child_;
  pid_t guardian_ = 0;
};

std::set<std::string> descriptors_of(pid_t pid) {
  std::set<std::string> targets;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/" + std::to_string(pid) + "/fd"})
    targets.insert(std::filesystem::read_symlink(entry.path()).string());
  return targets;
}

}  // namespace

TEST_CASE("the guardian undoes filters and qdisc within a second of SIGKILL, says so beside the evidence, and ends") {
  const ScratchDirectory scratch;
  const VethRoom room;
  {
    Guarded guarded{room, scratch};
    CHECK_FALSE(probe(room, 150ms));
    guarded.kill();
    CHECK(await([&] { return guarded.journals() == 0; }, 1s));
    CHECK(await([&] { return !guarded.guardian_runs(); }, 2s));
    CHECK(await_recovery(room, 1s));
  }
  CHECK(room.leftovers() == "");
  const auto undone = slurp(scratch / "evidence/undone.jsonl");
  CHECK(std::ranges::count(undone, '\n') == 3);
  CHECK(undone.contains("\"by\":\"guardian\""));
  CHECK(undone.contains("clsact qdisc of bo-host0"));
}

TEST_CASE("the guardian holds nothing of brownout's: no descriptor that would keep a link, a program or a device") {
  const ScratchDirectory scratch;
  const VethRoom room;
  Guarded guarded{room, scratch};
  auto held = descriptors_of(guarded.guardian());
  // Its end of the pair through which it is asked what is left.
  CHECK(std::erase_if(held, [](const std::string& what) { return what.starts_with("socket:"); }) == 1);
  CHECK(held == std::set<std::string>{"/dev/null", "anon_inode:[pidfd]"});
  // Signals that a terminal or a service manager sends to everybody do not reach it.
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::kill(guarded.guardian(), number);
  guarded.kill();
  CHECK(await([&] { return guarded.journals() == 0; }, 2s));
  CHECK(await([&] { return !guarded.guardian_runs(); }, 2s));
  CHECK(room.leftovers() == "");
}

TEST_CASE(
    "with the guardian killed at the same instant the fault is inert within its bound, and clean undoes the rest") {
  const ScratchDirectory scratch;
  const VethRoom room;
  {
    Guarded guarded{room, scratch};
    ::kill(guarded.guardian(), SIGKILL);
    guarded.kill();
    CHECK(await_recovery(room, 1s));
    CHECK(guarded.journals() == 1);
    const auto report = kernel::clean(guarded.directory());
    REQUIRE(report);
    CHECK(report->undone.size() == 3);
    CHECK(report->unsealed == std::vector<std::string>{(scratch / "evidence").string()});
    CHECK(guarded.journals() == 0);
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("a guardian that cannot be started is an error before anything is made") {
  const ScratchDirectory scratch;
  const auto absent = run::Guardian::start(scratch.path(), scratch / "no such program");
  REQUIRE_FALSE(absent);
  CHECK(absent.error().render().contains("guardian"));
  const auto wrong = run::Guardian::start(scratch.path(), "/bin/true");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().render().contains("did not come up"));
}

}  // namespace run_guardian_test
