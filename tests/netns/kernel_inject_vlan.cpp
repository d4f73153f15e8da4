// SPDX-License-Identifier: MIT
// A tagged frame comes out of the delay line as it went in. Raw frames: a kernel without VLAN devices carries tags too.
#include <array>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <catch2/catch_test_macros.hpp>

#include "support/inject_run.hpp"
#include "support/packet_builder.hpp"

namespace kernel_inject_vlan_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

struct Caught {
  std::vector<std::uint8_t> bytes;  // without the tag, which the kernel keeps apart
  std::uint16_t tag = 0;
  std::int64_t at_ns = 0;
};

class RawSocket {
 public:
  RawSocket(pid_t netns_of, const char* device) {
    const auto visit = NetnsVisit::enter(netns_of);
    fd_.reset(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)));
    sockaddr_ll where{};
    where.sll_family = AF_PACKET;
    where.sll_protocol = htons(ETH_P_ALL);
    where.sll_ifindex = static_cast<int>(::if_nametoindex(device));
    if (::bind(fd_.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0)
      throw std::runtime_error("cannot open a raw socket");
    set_option(fd_.get(), SOL_PACKET, PACKET_AUXDATA, 1);
    set_option(fd_.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
  }
  void send(const std::vector<std::uint8_t>& frame) const {
    REQUIRE(::send(fd_.get(), frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size()));
  }
  // The next tagged frame; empty after `patience` without one.
  Caught next_tagged(std::chrono::milliseconds patience) const {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < deadline) {
      pollfd ready{fd_.get(), POLLIN, 0};
      if (::poll(&ready, 1, 10) != 1) continue;
      if (Caught caught = receive(); caught.tag != 0) return caught;
    }
    return {};
  }

 private:
  Caught receive() const {
    Caught caught;
    caught.bytes.resize(4096);
    iovec part{caught.bytes.data(), caught.bytes.size()};
    alignas(cmsghdr) std::array<char, 128> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(fd_.get(), &message, 0);
    caught.bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    caught.at_ns = monotonic_ns();
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
      tpacket_auxdata auxiliary{};
      if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA) continue;
      std::memcpy(&auxiliary, CMSG_DATA(c), sizeof auxiliary);
      if (auxiliary.tp_status & TP_STATUS_VLAN_VALID) caught.tag = auxiliary.tp_vlan_tci;
    }
    return caught;
  }

  UniqueFd fd_;
};

Packet tagged(const char* from, const char* to) { return Packet{}.vlan(42).ipv4(from, to).udp(4000, 443).payload(300); }

}  // namespace

TEST_CASE("a tagged frame keeps its tag and its bytes") {
  const VethRoom room;
  {
    InjectRun run{room, plan_of({FaultBuilder::latency(30ms).port(443)})};
    const RawSocket host{room.host(), kHostDevice}, container{room.container(), kContainerDevice};

    const std::int64_t left_ns = monotonic_ns();
    container.send(tagged(kContainer4, kHost4).build());
    const Caught arrived = host.next_tagged(1s);  // raw sockets see it before the hook takes it
    const Caught returned = host.next_tagged(1s);
    REQUIRE(arrived.tag == 42);
    REQUIRE(returned.tag == 42);
    CHECK(returned.bytes == arrived.bytes);
    CHECK(returned.at_ns - left_ns >= 30'000'000);

    const auto sent = Packet{}.vlan(42).ipv4(kHost4, kContainer4).udp(443, 4000).payload(300).build();
    const std::int64_t sent_ns = monotonic_ns();
    host.send(sent);
    const Caught reached = container.next_tagged(1s);
    REQUIRE(reached.tag == 42);
    CHECK(reached.at_ns - sent_ns >= 30'000'000);
    std::vector<std::uint8_t> untagged{sent};
    untagged.erase(untagged.begin() + 12, untagged.begin() + 16);
    CHECK(reached.bytes == untagged);

    REQUIRE(run->detach());
    check_conservation(*run);
    CHECK(run->fault_counters().at(BROWNOUT_EGRESS).applied.packets == 1);
    CHECK(run->fault_counters().at(BROWNOUT_INGRESS).applied.packets == 1);
  }
  CHECK(room.leftovers() == "");
}

}  // namespace kernel_inject_vlan_test
