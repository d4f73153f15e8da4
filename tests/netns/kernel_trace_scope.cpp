// SPDX-License-Identifier: MIT
// Whose sockets: the target's cgroup and below, nobody else's; and the app's process among them.
#include <bpf/bpf.h>

#include "support/trace_sockets.hpp"
#include "support/trace_watch.hpp"

namespace kernel_trace_scope_test {

using namespace brownout::test;

namespace {

int refused(const Steps&) { return connect_to(kServerAddress, kPort) == -1 ? 0 : 1; }

}  // namespace

TEST_CASE("trace: sockets of another cgroup are not reported, but counted", "[netns]") {
  Room room;
  Cgroup other{"brownout-trace-other-" + std::to_string(getpid())};
  Watch watch{room};
  Process outside{"outside", {.netns_of = room.client_netns(), .cgroup = other.path()}, refused};
  REQUIRE(outside.wait() == 0);
  REQUIRE(watch.until([&] { return watch.counters().out_of_scope > 0; }));
  watch.drain();
  CHECK(watch.events().empty());
  CHECK(watch.counters().connects[0] + watch.counters().connects[1] == 0);
  CHECK(watch.counters().calls_failed[0] + watch.counters().calls_failed[1] == 0);
}

TEST_CASE("trace: a cgroup below the target's is the target's, with its own id", "[netns]") {
  Room room;
  Cgroup below{"worker", room.cgroup().path()};
  Watch watch{room};
  Process inside{"tracee", {.netns_of = room.client_netns(), .cgroup = below.path()}, refused};
  const auto event = watch.event(BROWNOUT_EVENT_CONNECT_REFUSED);
  REQUIRE(event);
  CHECK(event->cgroup_id == below.id());
  CHECK(event->cgroup_id != room.cgroup().id());
  CHECK(inside.wait() == 0);
}

TEST_CASE("trace: a target below another cgroup does not see its parent's sockets", "[netns]") {
  Room room;
  Cgroup below{"worker", room.cgroup().path()};
  auto target = room.target();
  target.cgroup_path = below.path();
  target.cgroup_id = below.id();
  target.cgroup_level += 1;
  const auto plan = plan_for(kPort);
  auto tracer = brownout::kernel::Tracer::attach({.plan = plan, .target = target});
  REQUIRE(tracer);
  Process parent{"tracee", room.client(), refused};
  REQUIRE(parent.wait() == 0);
  CHECK((*tracer)->counters().connects[1] == 0);
  CHECK((*tracer)->counters().out_of_scope > 0);
  Process inside{"tracee", {.netns_of = room.client_netns(), .cgroup = below.path()}, refused};
  REQUIRE(inside.wait() == 0);
  CHECK((*tracer)->counters().connects[1] == 1);
}

TEST_CASE("trace: only the app's process counts as the app; others of the target count apart", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process sidecar{"sidecar", room.client(), refused};
  const auto event = watch.event(BROWNOUT_EVENT_CONNECT_REFUSED);
  REQUIRE(event);
  CHECK((event->flags & BROWNOUT_EVENT_APP) == 0);
  CHECK((event->flags & BROWNOUT_EVENT_HIT) != 0);
  CHECK(std::string(event->comm) == "sidecar");
  CHECK(watch.counters().calls_failed[0] == 1);
  CHECK(watch.counters().calls_failed[1] == 0);
}

TEST_CASE("trace: a connection that no fault would hit counts apart and takes no room in the flow table", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort + 1)};
  Process client{"tracee", room.client(), refused};
  const auto event = watch.event(BROWNOUT_EVENT_CONNECT_REFUSED);
  REQUIRE(event);
  CHECK((event->flags & BROWNOUT_EVENT_HIT) == 0);
  CHECK((event->flags & BROWNOUT_EVENT_APP) != 0);
  CHECK(watch.counters().calls_failed[0] == 1);
  brownout_flow_key key{};
  CHECK(bpf_map_get_next_key(watch.tracer().flows_map_fd(), nullptr, &key) != 0);
}

TEST_CASE("trace: the owner is the process, whatever thread of it connects", "[netns]") {
  Room room;
  Watch watch{room, plan_for(kPort, "tracee")};
  Process client{"tracee", room.client(), [](const Steps& steps) {
    std::thread worker([&] {
      prctl(PR_SET_NAME, "worker-7");
      refused(steps);
    });
    worker.join();
    return 0;
  }};
  const auto event = watch.event(BROWNOUT_EVENT_CONNECT_REFUSED);
  REQUIRE(event);
  CHECK(std::string(event->comm) == "tracee");
  CHECK(event->pid == static_cast<std::uint32_t>(client.pid()));
  CHECK((event->flags & BROWNOUT_EVENT_APP) != 0);
  CHECK(client.wait() == 0);
}

TEST_CASE("trace: every program and map is listed with its id, and all go with the tracer", "[netns]") {
  Room room;
  Watch watch{room};
  const auto objects = watch.tracer().objects();
  const auto programs = watch.tracer().programs();
  CHECK(objects.links.size() == 9);
  CHECK(objects.programs.size() == programs.size());
  for (const auto& program : programs) {
    CHECK(program.id != 0);
    CHECK(program.name.starts_with("trace_"));
    CHECK(program.tag.size() == 16);
    CHECK(program.missed == 0);
  }
  CHECK(brownout::kernel::still_there(objects).links.size() == 9);
  CHECK(watch.detach());
}

}  // namespace kernel_trace_scope_test
