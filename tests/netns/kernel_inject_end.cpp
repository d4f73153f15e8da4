// SPDX-License-Identifier: MIT
// How an injection ends: drained, detached, past its deadline, its process stopped or killed.
#include <csignal>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <catch2/catch_test_macros.hpp>

#include "support/inject_probe.hpp"
#include "support/inject_run.hpp"

namespace kernel_inject_end_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

plan::Plan slow_and_lossy() {
  return plan_of({FaultBuilder::latency(700ms), FaultBuilder::loss(0.5).directions(kEgressOnly)});
}

// An injector in a process of its own, to be stopped or killed.
std::unique_ptr<Process> injecting_child(const VethRoom& room) {
  auto child = std::make_unique<Process>("injector", Place{.netns_of = room.host()}, [&room](const Steps& steps) {
    InjectRun run{room, slow_and_lossy()};
    steps.say('a');
    while (true) ::pause();
    return 0;
  });
  REQUIRE(child->await() == 'a');
  return child;
}

}  // namespace

TEST_CASE("draining sends what is held, at once and in order, and then nothing is held", "[delay_line]") {
  const VethRoom room;
  {
    InjectRun run{room, plan_of({FaultBuilder::latency(20s)})};
    DatagramPath path{room.container(), kContainer4, room.host(), kHost4, 7001};
    path.send_paced(300, 500us);
    CHECK(path.received() == 0);
    CHECK_FALSE(run->drained());
    CHECK(run->line_counters()[BROWNOUT_EGRESS].held >= 300);
    run->start_drain();
    path.send_paced(100, 500us);
    REQUIRE(path.await(400, 2s));
    const auto& arrivals = path.stop();
    CHECK(in_order(arrivals));
    const auto deadline = std::chrono::steady_clock::now() + 2s;
    while (!run->drained() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(1ms);
    CHECK(run->drained());
    REQUIRE(run->detach());
    check_conservation(*run);
    CHECK(run->line_counters()[BROWNOUT_EGRESS].expired == 0);
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("detaching alone loses nothing either", "[delay_line]") {
  const VethRoom room;
  {
    InjectRun run{room, plan_of({FaultBuilder::latency(20s)})};
    DatagramPath path{room.host(), kHost4, room.container(), kContainer4, 7002};
    path.send_paced(300, 200us);
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(run->detach());
    CHECK(std::chrono::steady_clock::now() - start < 1s);
    REQUIRE(path.await(300, 2s));
    CHECK(in_order(path.stop()));
    check_conservation(*run);
    CHECK(run->detach());  // again: nothing to do, no error
    CHECK(run->fault_counters().at(BROWNOUT_INGRESS).applied.packets >= 300);
    const auto there = kernel::still_there(run->objects());
    CHECK(there.links.empty());
    CHECK(there.interfaces.empty());
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("the objects that are said to be there are there, and are gone afterwards", "[delay_line][tcx]") {
  const VethRoom room;
  auto run = std::make_unique<InjectRun>(room, plan_of({FaultBuilder::latency(1ms)}));
  kernel::Injector& injector = **run;
  const auto objects = injector.objects();
  CHECK(objects.programs.size() == 5);
  CHECK(objects.links.size() == 4);
  CHECK(objects.interfaces.size() == 1);
  const auto there = kernel::still_there(objects);
  CHECK(there.programs == objects.programs);
  CHECK(there.maps == objects.maps);
  CHECK(there.links == objects.links);
  CHECK(there.interfaces == objects.interfaces);
  for (const auto& program : injector.programs()) CHECK(program.tag.size() == 16);
  REQUIRE(injector.detach());
  run.reset();
  CHECK(room.leftovers() == "");
  const auto left = kernel::still_there(objects);
  CHECK(left.programs.size() + left.maps.size() + left.links.size() + left.interfaces.size() == 0);
}

TEST_CASE("a qdisc that is not as it was is told, by name") {
  const VethRoom room;
  {
    InjectRun run{room, plan_of({FaultBuilder::latency(1ms)})};
    room.run({"tc", "qdisc", "replace", "dev", kHostDevice, "root", "handle", "7:", "pfifo"});
    const auto detached = run->detach();
    REQUIRE_FALSE(detached);
    CHECK(detached.error().what.contains(kHostDevice));
    CHECK(detached.error().render().contains("pfifo"));
    room.run({"tc", "qdisc", "delete", "dev", kHostDevice, "root"});
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("after the deadline no fault acts, though everything is still attached") {
  const VethRoom room;
  {
    InjectRun run{room, plan_of({FaultBuilder::latency(700ms)}, 1, 1s)};
    CHECK_FALSE(probe(room, 100ms));
    const auto recovered = await_recovery(room, 3s);
    REQUIRE(recovered);
    CHECK(*recovered < 1500ms);
    CHECK(run->counters().deadline_passed[BROWNOUT_INGRESS] > 0);
    REQUIRE(run->detach());
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("a drill whose loop hangs stops hurting within its heartbeat limit") {
  const VethRoom room;
  {
    InjectRun run{room, plan_of({FaultBuilder::blackhole()})};
    CHECK_FALSE(probe(room, 100ms));
    run.stop_beating();
    const auto recovered = await_recovery(room, 3s);
    REQUIRE(recovered);
    CHECK(*recovered < 1500ms);
    CHECK(run->counters().heartbeat_stale[BROWNOUT_INGRESS] > 0);
    REQUIRE(run->detach());
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("a killed injector leaves nothing: new packets are fine within 1 s, every object is gone within 5 s", "[tcx]") {
  const VethRoom room;
  {
    const auto child = injecting_child(room);
    CHECK_FALSE(probe(room, 200ms));
    ::kill(child->pid(), SIGKILL);
    const auto recovered = await_recovery(room, 2s);
    REQUIRE(recovered);
    CHECK(*recovered < 1s);
    CHECK(child->wait() == 128 + SIGKILL);  // while it ends, the other direction may still be hit
    DatagramPath path{room.container(), kContainer4, room.host(), kHost4, 7001};
    path.send_paced(100, 1ms);
    CHECK(path.await(100, 1s));  // no loss any more
    CHECK(room.leftovers() == "");
  }
}

TEST_CASE("a stopped injector stops hurting by itself", "[tcx]") {
  const VethRoom room;
  {
    const auto child = injecting_child(room);
    CHECK_FALSE(probe(room, 200ms));
    ::kill(child->pid(), SIGSTOP);
    const auto recovered = await_recovery(room, 3s);
    REQUIRE(recovered);
    CHECK(*recovered < 1500ms);
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("held packets of a process that was stopped for long expire, counted", "[delay_line]") {
  const VethRoom room;
  {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    const Process child{
        "injector", Place{.netns_of = room.host()}, [&](const Steps& steps) {
          InjectRun run{room, plan_of({FaultBuilder::latency(100ms).local_port(7002)})};
          steps.say('a');
          steps.await();
          const auto deadline = std::chrono::steady_clock::now() + 3s;
          while (run->line_counters()[BROWNOUT_INGRESS].expired == 0 && std::chrono::steady_clock::now() < deadline)
            std::this_thread::sleep_for(1ms);
          const std::uint64_t expired = run->line_counters()[BROWNOUT_INGRESS].expired;
          static_cast<void>(!::write(pipe[1], &expired, sizeof expired));
          return 0;
        }};
    REQUIRE(child.await() == 'a');
    DatagramPath path{room.host(), kHost4, room.container(), kContainer4, 7002};
    path.send_paced(10, 100us);
    ::kill(child.pid(), SIGSTOP);
    // Real time has to pass: the packets must become older than their departure and one second.
    std::this_thread::sleep_for(1300ms);
    ::kill(child.pid(), SIGCONT);
    child.tell();
    std::uint64_t expired = 0;
    REQUIRE(::read(pipe[0], &expired, sizeof expired) == sizeof expired);
    CHECK(expired > 0);
    CHECK(path.received() + expired <= 10);
    ::close(pipe[0]);
    ::close(pipe[1]);
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("somebody deletes the delay line's device: packets pass again", "[delay_line]") {
  const VethRoom room;
  {
    InjectRun run{room, plan_of({FaultBuilder::latency(50ms)})};
    CHECK(probe(room, 500ms));
    run->description();
    room.run({"ip", "link", "delete", run->description()["delay_line"]["device"].get<std::string>()});
    const auto recovered = await_recovery(room, 2s);
    REQUIRE(recovered);
    CHECK(*recovered < 1s);
    static_cast<void>(run->detach());  // whatever it says, it ends
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("what others send to the delay line's device stops there, counted", "[delay_line]") {
  const VethRoom room;
  {
    InjectRun run{room, plan_of({FaultBuilder::latency(50ms)})};
    const auto device = run->description()["delay_line"]["device"].get<std::string>();
    const UniqueFd raw{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
    sockaddr_ll where{};
    where.sll_family = AF_PACKET;
    where.sll_ifindex = static_cast<int>(::if_nametoindex(device.c_str()));
    const std::vector<std::uint8_t> frame(100, 0x08);
    static_cast<void>(
        ::sendto(raw.get(), frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&where), sizeof where));
    CHECK(run->counters().tap_foreign == 1);
    CHECK(run->line_counters()[0].received == 0);
    REQUIRE(run->detach());
  }
  CHECK(room.leftovers() == "");
}

}  // namespace kernel_inject_end_test
