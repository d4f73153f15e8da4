// SPDX-License-Identifier: MIT
// What is left after set-up, in every thread, and that it is enough for all that a drill still has to do.
#include <fcntl.h>
#include <sys/stat.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include <catch2/catch_test_macros.hpp>

#include "../../userspace/run/guardian.hpp"
#include "../../userspace/run/privileges.hpp"
#include "../../userspace/run/target_watch.hpp"
#include "brownout/events.hpp"
#include "brownout/system_calls.hpp"
#include "support/inject_probe.hpp"
#include "support/inject_run.hpp"
#include "support/scratch_directory.hpp"
#include "support/trace_failures.hpp"
#include "support/trace_watch.hpp"

namespace run_privileges_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

constexpr uid_t kSomebodyElse = 65534;

bool is_empty(const kernel::ObjectIds& ids) {
  return ids.programs.empty() && ids.maps.empty() && ids.links.empty() && ids.interfaces.empty();
}

void insist(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

template <typename T>
T obtain(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().render());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// A process of its own, since what was given up does not come back. What went wrong in it; empty: nothing.
std::string in_a_process(const Place& place, const std::function<void()>& body) {
  const ScratchDirectory scratch;
  Process child{"drill", place, [&](const Steps&) {
    try {
      body();
    } catch (const std::exception& error) {
      spill(scratch / "error", error.what());
      return 1;
    }
    return 0;
  }};
  return child.wait() == 0 ? "" : "failed: " + slurp(scratch / "error");
}

// In a thread of its own, of the same reason.
template <typename Body>
void with_only(CapabilitySet kept, const Body& body) {
  std::thread{[&] {
    obtain(keep_only(kept));
    body();
  }}.join();
}

// From set-up to the end, as `run` does it, with each thread that a drill has.
void act_a_drill(const VethRoom& room, const kernel::Means& means, const std::filesystem::path& scratch) {
  obtain(run::begin_set_up());
  const auto guardian = obtain(run::Guardian::start(scratch / "journals", BROWNOUT_BINARY));
  const auto recorder = obtain(events::Recorder::open(scratch));
  InjectRun run{room, plan_of({FaultBuilder::latency(50ms)}), {.means = means, .journals = scratch / "journals"}};
  run.stop_beating();  // the test's own thread
  const auto objects = run->objects();
  insist(!is_empty(obtain(guardian.still_there(objects))), "the guardian does not see what is there");

  const auto kept = obtain(run::end_set_up(means, {scratch}));
  insist(kept == kernel::needed_while_injecting(means), "kept: " + names(kept));
  const auto any = obtain(permitted_in_any_thread());
  insist(any.without(kept.with({CAP_SYS_NICE})).empty(), "some thread has " + names(any));
  insist(obtain(filter_system_calls()).absent.empty(), "system calls are not filtered");
  insist(obtain(read_file("/proc/self/status")).contains("NoNewPrivs:\t1"), "no_new_privs is not set");
  insist(!kernel::make_netns(), "a network namespace was made after set-up");
  insist(!is_empty(kernel::still_there(objects)) && guardian.alive(), "what is attached cannot be seen");

  static_cast<void>(run->counters());
  static_cast<void>(run->line_counters());
  obtain(run->detach());
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  auto left = obtain(guardian.still_there(objects));
  // Maps stay as long as the injector's owner of shared ones; programs, links and devices go.
  while ((!left.programs.empty() || !left.links.empty() || !left.interfaces.empty()) &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(20ms);  // nothing announces that a program was freed
    left = obtain(guardian.still_there(left));
  }
  insist(left.programs.empty() && left.links.empty() && left.interfaces.empty(), "something is left");
}

void check_drill(const kernel::Means& means) {
  const ScratchDirectory scratch;
  std::filesystem::create_directory(scratch / "journals");
  const VethRoom room;
  CHECK(in_a_process({.netns_of = room.host()}, [&] { act_a_drill(room, means, scratch.path()); }) == "");
  CHECK(room.leftovers() == "");
}

}  // namespace

TEST_CASE("after set-up each thread has what is documented, and faults are undone with it: tcx, delay line") {
  if (!kernel::choose_means(drill::Backend::kDelayLine, true) ||
      kernel::choose_means(drill::Backend::kDelayLine, true)->hook != kernel::HookKind::kTcx)
    SKIP("this kernel has no tcx links");
  check_drill({.hook = kernel::HookKind::kTcx, .backend = drill::Backend::kDelayLine});
}

TEST_CASE("after set-up each thread has what is documented, and faults are undone with it: clsact, delay line") {
  check_drill({.hook = kernel::HookKind::kClsact, .backend = drill::Backend::kDelayLine});
}

TEST_CASE("after set-up each thread has what is documented, and faults are undone with it: edt") {
  const auto means = kernel::choose_means(drill::Backend::kEdt, true);
  if (!means) SKIP("edt: " + means.error().render());
  check_drill(*means);
}

TEST_CASE("a thread that keeps its capabilities stops the drill before it injects") {
  CHECK(in_a_process({}, [] {
          const std::jthread keeper{[](const std::stop_token& stop) {
            std::mutex mutex;
            std::condition_variable_any stopped;
            std::unique_lock lock{mutex};
            stopped.wait(lock, stop, [] { return false; });
          }};
          const auto kept = run::end_set_up({}, {});
          insist(!kept && kept.error().render().contains("still has"), "nothing was said");
          insist(kept.error().render().contains("CAP_SYS_ADMIN"), kept.error().render());
        }) == "");
}

TEST_CASE("whoever lacks a capability is told which, before anything is touched") {
  with_only({CAP_BPF, CAP_NET_ADMIN, CAP_DAC_READ_SEARCH}, [] {
    const auto begun = run::begin_set_up();
    REQUIRE_FALSE(begun);
    CHECK(begun.error().code == ErrorCode::kPermission);
    CHECK(begun.error().what == "brownout run lacks CAP_SYS_PTRACE, CAP_SYS_ADMIN");
  });
}

TEST_CASE("CAP_DAC_OVERRIDE stays only where evidence goes into somebody else's directory") {
  const ScratchDirectory ours, theirs;
  REQUIRE(::chown(theirs.path().c_str(), kSomebodyElse, kSomebodyElse) == 0);
  const kernel::Means means;
  for (const bool foreign : {false, true})
    CHECK(in_a_process({}, [&] {
            const auto kept = obtain(run::end_set_up(means, {ours.path(), foreign ? theirs.path() : ours.path()}));
            insist(kept.within({CAP_DAC_OVERRIDE}).empty() != foreign, "kept: " + names(kept));
            const auto file = open_file(theirs / "evidence", O_WRONLY | O_CREAT, 0600);
            insist(file.has_value() == foreign, "whether a file can be made there is not as it should be");
          }) == "");
}

TEST_CASE("what others wrote is parsed without a capability in effect, and not for longer than that") {
  const ScratchDirectory theirs;
  spill(theirs / "secret", "x");
  REQUIRE(::chmod((theirs / "secret").c_str(), 0600) == 0);
  REQUIRE(::chown((theirs / "secret").c_str(), kSomebodyElse, kSomebodyElse) == 0);
  with_only({CAP_DAC_READ_SEARCH}, [&] {
    CHECK(read_file(theirs / "secret"));
    {
      const Unprivileged parsing;
      CHECK_FALSE(read_file(theirs / "secret"));
      CHECK(effective_capabilities()->empty());
    }
    CHECK(read_file(theirs / "secret"));
  });
}

TEST_CASE("with CAP_BPF alone the tracer goes on: lists what is under way, attaches what it needs later") {
  const Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  const auto before = watch.tracer().objects().links.size();
  Process server{"server", room.server(), server_that([](const Steps&, int) {})};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const int fd = connect_to(kServerAddress, kPort);
    const timeval limit{.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    send_text(fd, "request");
    steps.say('w');
    receive(fd);
    return 0;
  }};
  REQUIRE(client.await() == 'w');
  with_only({CAP_BPF}, [&] {
    CHECK(watch.tracer().list_in_flight());
    CHECK(watch.event(BROWNOUT_EVENT_IN_FLIGHT));
    // A socket in scope waits with SO_RCVTIMEO: since Linux 6.3 receives are traced from then on.
    const auto unseen = watch.tracer().not_observed();
    const bool traced = std::ranges::none_of(unseen, [](const auto& what) { return what.contains("SO_RCVTIMEO"); });
    CHECK(watch.tracer().objects().links.size() == before + (traced ? 1 : 0));
  });
}

TEST_CASE("a process that leaves its network namespace is seen to leave without CAP_SYS_PTRACE") {
  const Room room;
  Process process{"leaver", room.client(), [&](const Steps& steps) {
    const auto elsewhere = kernel::open_netns(room.server_netns());
    steps.say('r');
    steps.await();
    if (!elsewhere || ::setns(elsewhere->get(), CLONE_NEWNET) != 0) return 1;
    steps.say('g');
    steps.await();
    return 0;
  }};
  REQUIRE(process.await() == 'r');
  auto target = room.target();
  target.runtime = "pid";
  target.pid = process.pid();
  auto watch = run::TargetWatch::start(target, {.host_ifindex = 1, .host_name = "lo"});
  REQUIRE(watch);
  with_only({}, [&] {
    CHECK_FALSE(kernel::open_netns(target.pid));
    CHECK_FALSE(watch->gone());
    process.tell();
    CHECK(process.await() == 'g');
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (!watch->gone() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(20ms);
    CHECK(watch->gone().value_or("").contains("moved to another network namespace"));
  });
}

}  // namespace run_privileges_test
