// SPDX-License-Identifier: MIT
// Loss on real traffic: the right share, silent to senders, and agreed on by witnesses that know nothing of us.
#include <cmath>
#include <cstring>

#include <catch2/catch_test_macros.hpp>

#include "brownout/abi/random.h"
#include "support/flow_keys.hpp"
#include "support/inject_run.hpp"

namespace kernel_inject_loss_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

constexpr int kPackets = 3000;

// Four standard deviations of a binomial on each side.
void check_share(std::uint64_t dropped, double rate) {
  const double sigma = std::sqrt(kPackets * rate * (1 - rate));
  CHECK(std::abs(static_cast<double>(dropped) - kPackets * rate) < 4 * sigma);
}

// A UDP socket with IP_RECVERR hears of drops that others do not.
void send_listening_for_errors(DatagramPath& path) {
  set_option(path.sender(), IPPROTO_IP, IP_RECVERR, 1);
  path.send_paced(kPackets, 100us);
  CHECK(path.refused() == 0);
}

std::uint64_t settle(DatagramPath& path, std::uint64_t expected) {
  path.await(expected, 2s);
  return path.stop().size();
}

using Witness = Result<std::unique_ptr<kernel::DropWitness>>;

// Packets that the kernel says it dropped for that reason; nothing where it gives no reasons (before 5.17): the lists of
// capabilities that `doctor` is held against say which kernels must.
std::optional<std::uint64_t> dropped_for(const Witness& witness, const std::string& reason) {
  if (witness) return (*witness)->dropped()[reason];
  CHECK(witness.error().code == ErrorCode::kUnsupported);
  return std::nullopt;
}

constexpr std::uint64_t threshold(double share) { return static_cast<std::uint64_t>(share * 4294967296.0); }

// Of what the container sends on it to port 7002.
std::uint64_t flow_state_of(const DatagramPath& path, std::uint64_t seed) {
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  ::getsockname(path.sender(), reinterpret_cast<sockaddr*>(&bound), &size);
  const auto flow = flow_key(kContainer4, ntohs(bound.sin_port), kHost4, 7002, IPPROTO_UDP);
  __u64 words[BROWNOUT_FLOW_KEY_WORDS];
  std::memcpy(words, &flow, sizeof words);
  return brownout_flow_state(seed, words, BROWNOUT_EGRESS);
}

}  // namespace

TEST_CASE("loss from the container is silent, in its share, and seen by the kernel's own drop reasons") {
  const VethRoom room;
  {
    const Witness witness = kernel::DropWitness::attach(room.interface().host_ifindex);
    InjectRun run{room, plan_of({FaultBuilder::loss(0.2).directions(kEgressOnly).port(7001)})};
    DatagramPath path{room.container(), kContainer4, room.host(), kHost4, 7001};
    send_listening_for_errors(path);
    const auto counters = run->fault_counters().at(BROWNOUT_EGRESS);
    CHECK(counters.matched.packets == kPackets);
    check_share(counters.applied.packets, 0.2);
    CHECK(settle(path, kPackets - counters.applied.packets) == kPackets - counters.applied.packets);
    if (const auto told = dropped_for(witness, "TC_INGRESS")) CHECK(*told == counters.applied.packets);
    REQUIRE(run->detach());
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("loss in bursts: what does not arrive is what the model says, packet by packet") {
  const VethRoom room;
  {
    constexpr double kEnter = 0.02, kLeave = 0.125;
    constexpr std::uint64_t kSeed = 5;
    InjectRun run{room, plan_of({FaultBuilder::bursts(kEnter, kLeave).directions(kEgressOnly).port(7002)}, kSeed)};
    DatagramPath path{room.container(), kContainer4, room.host(), kHost4, 7002};
    send_listening_for_errors(path);
    const auto counters = run->fault_counters().at(BROWNOUT_EGRESS);
    CHECK(counters.matched.packets == kPackets);
    path.await(kPackets - counters.applied.packets, 2s);
    std::vector<bool> arrived(kPackets);
    for (const auto& arrival : path.stop()) arrived.at(arrival.sequence) = true;

    const auto state = flow_state_of(path, kSeed);
    std::uint64_t lost = 0;
    for (std::uint64_t n = 0; n < kPackets; ++n) {
      const bool in_burst = brownout_in_burst(state, n, 0, threshold(kEnter), threshold(kLeave)) != 0;
      lost += in_burst;
      CHECK(arrived[n] == !in_burst);
    }
    CHECK(lost == counters.applied.packets);
    CHECK(lost > 100);
    REQUIRE(run->detach());
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("loss towards the container is silent to a sender of the host, and missing in the container's own counter") {
  const VethRoom room;
  {
    const Witness witness = kernel::DropWitness::attach(room.interface().host_ifindex);
    const auto before = kernel::device_counters(room.container(), kContainerDevice);
    // The peer's port is the sender's here.
    DatagramPath path{room.host(), kHost4, room.container(), kContainer4, 7003};
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    ::getsockname(path.sender(), reinterpret_cast<sockaddr*>(&bound), &size);
    InjectRun run{room, plan_of({FaultBuilder::loss(0.2).directions(kIngressOnly).port(ntohs(bound.sin_port))})};
    send_listening_for_errors(path);
    const auto counters = run->fault_counters().at(BROWNOUT_INGRESS);
    CHECK(counters.matched.packets == kPackets);
    check_share(counters.applied.packets, 0.2);
    CHECK(settle(path, kPackets - counters.applied.packets) == kPackets - counters.applied.packets);
    const auto after = kernel::device_counters(room.container(), kContainerDevice);
    REQUIRE(before);
    REQUIRE(after);
    const auto arrived = after->rx_packets - before->rx_packets;
    CHECK(arrived >= kPackets - counters.applied.packets);
    CHECK(arrived <= kPackets - counters.applied.packets + 20);  // neighbour discovery and the like
    // A redirect to no device has no reason of its own; the kernel may drop a packet of its own for none either.
    if (const auto unnamed = dropped_for(witness, "NOT_SPECIFIED")) {
      CHECK(*unnamed >= counters.applied.packets);
      CHECK(*unnamed <= counters.applied.packets + 20);
    }
    REQUIRE(run->detach());
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("TCP of this host takes a blackhole for the wire's: it retransmits, and no send fails locally") {
  const VethRoom room;
  {
    InjectRun run{room, plan_of({FaultBuilder::blackhole().protocol(IPPROTO_TCP)})};
    const UniqueFd listener = bound_in(room.container(), kContainer4, 7004, SOCK_STREAM);
    REQUIRE(::listen(listener.get(), 1) == 0);
    const auto before = kernel::snmp_counters(room.host());
    const UniqueFd client = socket_in(room.host(), kContainer4, SOCK_STREAM | SOCK_NONBLOCK);
    const auto where = address(kContainer4, 7004);
    REQUIRE(::connect(client.get(), where.get(), where.length) == -1);
    CHECK(errno == EINPROGRESS);
    pollfd ready{client.get(), POLLOUT, 0};
    CHECK(::poll(&ready, 1, 2500) == 0);  // no error either
    auto after = kernel::snmp_counters(room.host());
    REQUIRE(before);
    REQUIRE(after);
    const auto grown = [&](const char* name) { return after->at(name) - before->at(name); };
    CHECK(grown("Tcp.RetransSegs") >= 1);
    CHECK(grown("TcpExt.TCPRetransFail") == 0);
    CHECK(run->fault_counters().at(BROWNOUT_INGRESS).applied.packets == 1 + grown("Tcp.RetransSegs"));
    REQUIRE(run->detach());
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("what does not match is not touched") {
  const VethRoom room;
  {
    InjectRun run{room,
                  plan_of({FaultBuilder::blackhole().port(9999), FaultBuilder::latency(5s).cidr("192.0.2.0", 24)})};
    DatagramPath path{room.container(), kContainer4, room.host(), kHost4, 7001};
    path.send_paced(100, 1ms);
    CHECK(path.await(100, 1s));
    CHECK(median_delay(path.stop()) < lateness_ns());
    CHECK(run->fault_counters().at(0).matched.packets == 0);
    CHECK(run->counters().redirected[BROWNOUT_EGRESS].packets == 0);
    CHECK(run->counters().seen[BROWNOUT_EGRESS].packets >= 100);
    REQUIRE(run->detach());
  }
  CHECK(room.leftovers() == "");
}

}  // namespace kernel_inject_loss_test
