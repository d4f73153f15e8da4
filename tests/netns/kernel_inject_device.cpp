// SPDX-License-Identifier: MIT
// The delay line's device between unusual packets and unusual hands: BIG TCP, and somebody who sets it down.
#include <random>

#include <net/if.h>
#include <catch2/catch_test_macros.hpp>

#include "../../userspace/kernel/netlink.hpp"
#include "brownout/digest.hpp"
#include "support/inject_probe.hpp"
#include "support/inject_run.hpp"

namespace kernel_inject_device_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

std::string noise(std::size_t size) {
  std::mt19937_64 generator{size};
  std::string data(size, '\0');
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    const auto word = generator();
    std::memcpy(data.data() + i, &word, 8);
  }
  return data;
}

// Super-packets beyond 64 KiB on both ends of the veth; why not, where the kernel does not know them. By netlink: the
// ip command of Debian 12 knows only half of it.
std::string allow_big_tcp(const VethRoom& room) {
  for (const auto& [where, device] : {std::pair{room.host(), kHostDevice}, {room.container(), kContainerDevice}}) {
    const auto visit = NetnsVisit::enter(where);
    auto netlink = kernel::Netlink::open();
    if (!netlink) return "no netlink socket in the namespace";
    ifinfomsg info{};
    info.ifi_index = static_cast<int>(::if_nametoindex(device));
    kernel::NetlinkRequest request{RTM_NEWLINK, NLM_F_ACK, info};
    for (const std::uint16_t attribute :
         {IFLA_GSO_MAX_SIZE, IFLA_GRO_MAX_SIZE, IFLA_GSO_IPV4_MAX_SIZE, IFLA_GRO_IPV4_MAX_SIZE})
      request.attribute(attribute, std::uint32_t{200'000});
    if (auto set = netlink->ask(std::move(request), "allow BIG TCP"); !set) return set.error().render();
  }
  return "";
}

void check_streams(const VethRoom& room, const std::string& data) {
  const std::string digest = sha256(data);
  CHECK(sha256(stream(room.host(), room.container(), kContainer4, 7301, data)) == digest);
  CHECK(sha256(stream(room.container(), room.host(), kHost4, 7302, data)) == digest);
  CHECK(sha256(stream(room.host(), room.container(), kContainer6, 7303, data)) == digest);
  CHECK(sha256(stream(room.container(), room.host(), kHost6, 7304, data)) == digest);
}

// Super-packets beyond 64 KiB were met on the hook: on average, and so some of them really.
bool met_big_packets(kernel::Injector& injector, int direction) {
  const auto seen = injector.counters().seen[direction];
  return seen.bytes > 65'536 * seen.packets;
}

template <typename Condition>
bool within(std::chrono::milliseconds patience, Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline)
    if (condition()) return true;
  return condition();
}

}  // namespace

TEST_CASE("BIG TCP comes through the line whole, and every packet is accounted for") {
  const VethRoom room;
  if (const std::string refused = allow_big_tcp(room); !refused.empty()) SKIP("no BIG TCP on a veth: " << refused);
  {
    InjectRun run{room, plan_of({FaultBuilder::latency(2ms)})};
    const std::string data = noise(bulk(32));
    CHECK(sha256(stream(room.host(), room.container(), kContainer4, 7300, data)) == sha256(data));
    // At an emulated CPU's rate TCP sends such packets only now and then.
    if (!emulated()) CHECK(met_big_packets(*run, BROWNOUT_INGRESS));
    check_streams(room, data);
    REQUIRE(run->detach());
    check_conservation(*run);
    CHECK(run->line_counters()[0].device_drops == 0);
    CHECK(run->counters().redirect_failed[BROWNOUT_EGRESS] == 0);
    CHECK(run->counters().redirect_failed[BROWNOUT_INGRESS] == 0);
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("BIG TCP with loss and latency loses what was decided and nothing else") {
  const VethRoom room;
  if (const std::string refused = allow_big_tcp(room); !refused.empty()) SKIP("no BIG TCP on a veth: " << refused);
  {
    // So many that some are lost for certain, however few large packets the bulk becomes.
    InjectRun run{room, plan_of({FaultBuilder::latency(1ms), FaultBuilder::loss(emulated() ? 0.05 : 0.005)})};
    check_streams(room, noise(bulk(16)));
    REQUIRE(run->detach());
    check_conservation(*run);
    std::uint64_t dropped = 0;
    for (std::size_t d = 0; d < BROWNOUT_DIRECTIONS; ++d) {
      const auto counters = run->fault_counters().at(BROWNOUT_DIRECTIONS + d);
      CHECK(counters.applied.packets == counters.decided.packets);
      dropped += counters.applied.packets;
    }
    CHECK(dropped > 0);
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("the device set down in mid-run: packets pass again, the lost ones are counted, and up again it delays", "[delay_line]") {
  const VethRoom room;
  {
    InjectRun run{room, plan_of({FaultBuilder::latency(50ms)})};
    const auto device = run->description()["delay_line"]["device"].get<std::string>();
    REQUIRE(probe(room, 500ms));
    DatagramPath path{room.host(), kHost4, room.container(), kContainer4, 7499};
    for (int i = 0; i < 20; ++i) path.send();  // held when the device goes
    room.run({"ip", "link", "set", device, "down"});
    CHECK(within(2s, [&] {
      const auto delay = probe(room, 20ms);
      return delay && *delay < 40ms;
    }));
    CHECK(run->counters().heartbeat_stale[BROWNOUT_INGRESS] > 0);
    room.run({"ip", "link", "set", device, "up"});
    CHECK(within(2s, [&] {
      const auto delay = probe(room, 500ms);
      return delay && *delay >= 50ms;
    }));
    REQUIRE(run->detach());
    check_conservation(*run);
    const auto line = run->line_counters()[BROWNOUT_INGRESS];
    CHECK(path.received() + line.write_errors >= 20);
  }
  CHECK(room.leftovers() == "");
}

}  // namespace kernel_inject_device_test
