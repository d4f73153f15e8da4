// SPDX-License-Identifier: MIT
// The path of kernels without tcx links, forced: filters that outlive their process, the journal, and `clean`.
#include <csignal>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <catch2/catch_test_macros.hpp>

#include "../../userspace/kernel/clsact.hpp"
#include "support/inject_probe.hpp"
#include "support/inject_run.hpp"
#include "support/scratch_directory.hpp"

namespace kernel_inject_clsact_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

InjectHow by_filters(const ScratchDirectory& journals) {
  return {.means = {.hook = kernel::HookKind::kClsact, .backend = drill::Backend::kDelayLine},
          .journals = journals.path()};
}

plan::Plan slow_and_lossy() {
  return plan_of({FaultBuilder::latency(300ms), FaultBuilder::loss(0.5).directions(kEgressOnly)});
}

std::unique_ptr<Process> injecting_child(const VethRoom& room, const ScratchDirectory& journals) {
  auto child = std::make_unique<Process>("injector", Place{.netns_of = room.host()}, [&](const Steps& steps) {
    InjectRun run{room, slow_and_lossy(), by_filters(journals)};
    steps.say('a');
    while (true) ::pause();
    return 0;
  });
  REQUIRE(child->await() == 'a');
  return child;
}

void kill_and_reap(Process& child) {
  ::kill(child.pid(), SIGKILL);
  CHECK(child.wait() == 128 + SIGKILL);
}

std::size_t journals_in(const ScratchDirectory& directory) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{directory.path()})
    count += entry.path().extension() == ".jsonl";
  return count;
}

// Somebody else's: a program that lets everything pass.
void add_filter_of_others(const VethRoom& room, kernel::HookSide side) {
  const bpf_insn pass[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = -1}, {.code = BPF_JMP | BPF_EXIT}};
  const UniqueFd program{bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "of_others", "GPL", pass, 2, nullptr)};
  REQUIRE(program);
  REQUIRE(kernel::add_filter({.ifindex = room.interface().host_ifindex, .side = side, .priority = 1, .handle = 1},
                             program.get(), kHostDevice));
}

kernel::CleanReport clean(const ScratchDirectory& journals) {
  auto report = kernel::clean(journals.path());
  REQUIRE(report);
  CHECK(report->failed.empty());
  return std::move(*report);
}

}  // namespace

TEST_CASE("clsact: both directions are late, and a normal end leaves neither filter nor qdisc nor journal") {
  const ScratchDirectory journals;
  const VethRoom room;
  {
    InjectRun run{room, plan_of({FaultBuilder::latency(60ms)}), by_filters(journals)};
    CHECK(journals_in(journals) == 1);
    for (const bool outwards : {true, false}) {
      DatagramPath path = outwards ? DatagramPath{room.container(), kContainer4, room.host(), kHost4, 7501}
                                   : DatagramPath{room.host(), kHost4, room.container(), kContainer4, 7502};
      path.send_paced(100, 1ms);
      REQUIRE(path.await(100, 2s));
      const auto arrivals = path.stop();
      CHECK(in_order(arrivals));
      CHECK(std::ranges::all_of(arrivals, [](const Arrival& one) { return one.delay_ns() >= 60'000'000; }));
    }
    REQUIRE(run->detach());
    check_conservation(*run);
  }
  CHECK(room.leftovers() == "");
  CHECK(journals_in(journals) == 0);
}

TEST_CASE("clsact: after SIGKILL traffic recovers by itself, and clean leaves the machine as it was") {
  const ScratchDirectory journals;
  const VethRoom room;
  {
    const auto child = injecting_child(room, journals);
    CHECK_FALSE(probe(room, 150ms));
    kill_and_reap(*child);
    const auto killed = std::chrono::steady_clock::now();
    REQUIRE(await_recovery(room, 3s));
    // Loss of the other direction lasts until the beat is too old. Of 20 packets, half lost, all come once in a million.
    const auto all_come = [&room] {
      DatagramPath path{room.container(), kContainer4, room.host(), kHost4, 7503};
      path.send_paced(20, 1ms);
      return path.await(20, 30ms);
    };
    bool lossless = false;
    while (!lossless && std::chrono::steady_clock::now() - killed < 3s) lossless = all_come();
    CHECK(lossless);
    CHECK(std::chrono::steady_clock::now() - killed < 1s);
    const auto report = clean(journals);
    CHECK(report.undone.size() == 3);  // two filters and the qdisc
    CHECK(report.left_alone.empty());
    CHECK(clean(journals).undone.empty());
  }
  CHECK(room.leftovers() == "");
  CHECK(journals_in(journals) == 0);
}

TEST_CASE("clsact: SIGKILL at any moment leaves nothing that clean does not undo") {
  const ScratchDirectory journals;
  const VethRoom room;
  for (int round = 0; round < 12; ++round) {
    INFO("round " << round);
    Process child{"injector", Place{.netns_of = room.host()}, [&](const Steps& steps) {
      steps.say('s');
      while (true) {
        InjectRun run{room, slow_and_lossy(), by_filters(journals)};
        static_cast<void>(run->detach());
      }
      return 0;
    }};
    REQUIRE(child.await() == 's');
    // The moment is what is tried here.
    std::this_thread::sleep_for(std::chrono::milliseconds{(round * 37) % 400});
    kill_and_reap(child);
    clean(journals);
    CHECK(room.leftovers() == "");
    CHECK(await_recovery(room, 1s));
  }
}

TEST_CASE("clean leaves alone what belongs to a process that lives") {
  const ScratchDirectory journals;
  const VethRoom room;
  {
    InjectRun run{room, slow_and_lossy(), by_filters(journals)};
    const auto report = clean(journals);
    CHECK(report.undone.empty());
    REQUIRE(report.left_alone.size() == 1);
    CHECK(report.left_alone.front().contains("which lives"));
    CHECK_FALSE(probe(room, 150ms));
    REQUIRE(run->detach());
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("a clsact qdisc and filters of others stay") {
  const ScratchDirectory journals;
  const VethRoom room;
  room.run({"tc", "qdisc", "add", "dev", kHostDevice, "clsact"});
  add_filter_of_others(room, kernel::HookSide::kIngress);
  const auto theirs = ObjectCensus::take();
  SECTION("after a normal end") {
    InjectRun run{room, slow_and_lossy(), by_filters(journals)};
    CHECK_FALSE(probe(room, 150ms));
    REQUIRE(run->detach());
  }
  SECTION("after a kill and clean") {
    const auto child = injecting_child(room, journals);
    kill_and_reap(*child);
    CHECK(clean(journals).undone.size() == 2);
  }
  CHECK(theirs.difference_after_waiting() == "");
  CHECK(kernel::clean(journals.path())->undone.empty());
}

TEST_CASE("clean undoes no filter that took the place of ours, and keeps a qdisc that others use now") {
  const ScratchDirectory journals;
  const VethRoom room;
  {
    const auto child = injecting_child(room, journals);
    kill_and_reap(*child);
  }
  room.run({"tc", "filter", "delete", "dev", kHostDevice, "egress"});
  add_filter_of_others(room, kernel::HookSide::kEgress);
  const auto report = clean(journals);
  CHECK(report.undone.size() == 1);  // our filter on ingress
  REQUIRE(report.left_alone.size() == 1);
  CHECK(report.left_alone.front().contains("filters of others"));
  room.run({"tc", "qdisc", "delete", "dev", kHostDevice, "clsact"});
  CHECK(room.leftovers() == "");
}

}  // namespace kernel_inject_clsact_test
