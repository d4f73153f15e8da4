// SPDX-License-Identifier: MIT
// What surrounds the injector: finding the veth, reading counters, the device's properties, other programs on the hook.
#include <catch2/catch_test_macros.hpp>

#include "support/inject_run.hpp"

namespace kernel_inject_host_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

TEST_CASE("the host side of a container's veth is found, and only that") {
  const VethRoom room;
  // An interface of the same index as the container's exists here: it must not be taken for the peer.
  const auto found = kernel::host_side_veths(room.target());
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK(found->front().host_name == kHostDevice);
  CHECK(found->front().container_name == kContainerDevice);

  target::Target stranger = room.target();
  stranger.pid = room.host();  // our own namespace: no veth leads into it from here
  const auto none = kernel::host_side_veths(stranger);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::kNotFound);

  target::Target of_the_host = room.target();
  of_the_host.host_network = true;
  CHECK(kernel::host_side_veths(of_the_host).error().code == ErrorCode::kUnsupported);
}

TEST_CASE("two networks of a container are two interfaces") {
  const VethRoom room;
  room.run({"ip", "link", "add", "bo-host1", "type", "veth", "peer", "name", "eth1", "netns",
            std::to_string(room.container())});
  const auto found = kernel::host_side_veths(room.target());
  REQUIRE(found);
  CHECK(found->size() == 2);
}

TEST_CASE("device and protocol counters are those of the namespace asked for") {
  const VethRoom room;
  const auto before = kernel::device_counters(room.container(), kContainerDevice);
  REQUIRE(before);
  const auto snmp_before = kernel::snmp_counters(room.container());
  REQUIRE(snmp_before);
  DatagramPath path{room.host(), kHost4, room.container(), kContainer4, 7001};
  path.send_paced(50, 100us);
  REQUIRE(path.await(50, 1s));
  const auto after = kernel::device_counters(room.container(), kContainerDevice);
  CHECK(after->rx_packets - before->rx_packets >= 50);
  CHECK(after->rx_bytes - before->rx_bytes >= 50 * 64);
  const auto snmp = kernel::snmp_counters(room.container());
  CHECK(snmp->at("Udp.InDatagrams") - snmp_before->at("Udp.InDatagrams") == 50);
  CHECK(snmp->contains("TcpExt.TCPTimeouts"));
  CHECK(kernel::device_counters(0, kHostDevice)->tx_packets >= 50);
  CHECK(kernel::device_counters(0, "no-such-device").error().code == ErrorCode::kNotFound);
}

TEST_CASE("the delay line's device has no address, and is up", "[delay_line]") {
  const VethRoom room;
  InjectRun run{room, plan_of({FaultBuilder::latency(1ms)})};
  const auto device = run->description()["delay_line"]["device"].get<std::string>();
  CHECK(device.starts_with("brownout"));
  const auto conf = read_file("/proc/sys/net/ipv6/conf/" + device + "/disable_ipv6");
  if (conf) CHECK(*conf == "1\n");
  const auto inet6 = read_file("/proc/thread-self/net/if_inet6");
  if (inet6) CHECK(inet6->find(device) == std::string::npos);
  const auto line = run->description()["delay_line"];
  CHECK(line["scheduling"].size() == BROWNOUT_DIRECTIONS * line["queues_per_direction"].get<std::size_t>());
  CHECK(run->description()["other_programs"].empty());
  REQUIRE(run->detach());
  CHECK(run->counters().tap_foreign == 0);
}

TEST_CASE("a plan without latency needs no device") {
  const VethRoom room;
  {
    InjectRun run{room, plan_of({FaultBuilder::loss(0.1)})};
    CHECK(run->objects().interfaces.empty());
    CHECK(run->objects().programs.size() == 2);
    CHECK(run->drained());
    REQUIRE(run->detach());
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("an interface that is not there is an error that says so") {
  const VethRoom room;
  {
    SharedMaps maps;
    const auto plan = plan_of({FaultBuilder::latency(1ms)});
    const kernel::Interface nowhere{.host_ifindex = 999'999, .host_name = "gone0"};
    auto injector = kernel::Injector::load({.plan = plan, .interface = nowhere, .tracer = maps});
    REQUIRE(injector);
    const auto attached = (*injector)->attach();
    REQUIRE_FALSE(attached);
    CHECK(attached.error().render().find("gone0") != std::string::npos);
  }
  CHECK(room.leftovers() == "");
}

}  // namespace kernel_inject_host_test
