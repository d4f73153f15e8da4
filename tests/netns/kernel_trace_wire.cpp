// SPDX-License-Identifier: MIT
// What the wire does to calls: duplicates, data in the SYN, many connections at once.
#include <linux/if_packet.h>
#include <net/if.h>

#include "support/trace_sockets.hpp"
#include "support/trace_watch.hpp"

namespace kernel_trace_wire_test {

using namespace brownout::test;

namespace {

// Of this namespace's b0, both directions.
int packet_socket() {
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(0x0003));
  sockaddr_ll where{};
  where.sll_family = AF_PACKET;
  where.sll_protocol = htons(0x0003);
  where.sll_ifindex = static_cast<int>(if_nametoindex("b0"));
  if (bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) != 0) _exit(91);
  return fd;
}

std::string await_frame_with(int fd, const std::string& text) {
  for (;;) {
    auto frame = receive(fd);
    if (frame.empty() || frame.find(text) != std::string::npos) return frame;
  }
}

std::uint32_t sum_words(std::string_view bytes, std::uint32_t sum) {
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const auto high = static_cast<unsigned char>(bytes[i]);
    const auto low = i + 1 < bytes.size() ? static_cast<unsigned char>(bytes[i + 1]) : 0U;
    sum += high * 256U + low;
  }
  return sum;
}

// An Ethernet frame with IPv4 and TCP as if it had been sent when the peer had `more` bytes more; the checksum, which
// a virtual device leaves to be done, is made.
std::string acknowledging_more(std::string frame, std::size_t more) {
  constexpr std::size_t kIp = 14, kTcp = kIp + 20, kAck = kTcp + 8, kChecksum = kTcp + 16;
  std::uint32_t acknowledged = 0;
  std::memcpy(&acknowledged, &frame[kAck], sizeof(acknowledged));
  acknowledged = htonl(ntohl(acknowledged) + static_cast<std::uint32_t>(more));
  std::memcpy(&frame[kAck], &acknowledged, sizeof(acknowledged));
  frame[kChecksum] = frame[kChecksum + 1] = 0;
  const std::string_view segment = std::string_view{frame}.substr(kTcp);
  std::uint32_t sum = sum_words(std::string_view{frame}.substr(kIp + 12, 8), IPPROTO_TCP);
  sum = sum_words(segment, sum + static_cast<std::uint32_t>(segment.size()));
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  frame[kChecksum] = static_cast<char>(~sum >> 8 & 0xff);
  frame[kChecksum + 1] = static_cast<char>(~sum & 0xff);
  return frame;
}

}  // namespace

TEST_CASE("trace: a duplicate of the last answer does not answer the next call", "[netns]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), [](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    const int wire = packet_socket();
    steps.say('l');
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    receive(fd);
    send_text(fd, "answer");
    auto frame = await_frame_with(wire, "answer");
    receive(fd); // the second request: a retransmit now would acknowledge it
    frame = acknowledging_more(std::move(frame), std::strlen("request"));
    send(wire, frame.data(), frame.size(), 0);
    steps.say('d');
    steps.await();
    send_text(fd, "second");
    steps.await();
    return 0;
  }};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const int fd = connect_to(kServerAddress, kPort);
    for (int i = 0; i < 2; ++i) {
      send_text(fd, "request");
      if (receive(fd).empty()) return 1;
    }
    return 0;
  }};
  REQUIRE(server.await() == 'd');
  // the client's kernel met it
  REQUIRE(watch.until([&] {
    return brownout::kernel::snmp_counters(room.client_netns())->at("TcpExt.TCPDSACKOldSent") == 1;
  }));
  CHECK(watch.counters().calls_started[1] == 2);
  CHECK(watch.counters().calls_completed[1] == 1);
  server.tell();
  REQUIRE(client.wait() == 0);
  CHECK(watch.counters().calls_completed[1] == 2);
}

TEST_CASE("trace: a retransmit after an early answer starts no call", "[netns]") {
  Room room;
  Watch watch{room};
  Process server{"server", room.server(), [](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    steps.say('l');
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    receive(fd);
    steps.say('r');
    steps.await();
    send_text(fd, "answer to the first half");
    steps.await();
    return 0;
  }};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps& steps) {
    const int fd = connect_to(kServerAddress, kPort);
    send_text(fd, "first half");
    steps.await();
    send_text(fd, "second half"); // lost, with all its retransmits
    steps.say('s');
    receive(fd);
    steps.await();
    return 0;
  }};
  REQUIRE(server.await() == 'r');
  room.blackhole();
  client.tell();
  REQUIRE(client.await() == 's');
  server.tell();
  REQUIRE(watch.until([&] { return watch.counters().calls_completed[1] == 1; }));
  const auto before = watch.counters().retransmits;
  REQUIRE(watch.until([&] { return watch.counters().retransmits >= before + 2; }));
  CHECK(watch.counters().calls_started[1] == 1);
}

TEST_CASE("trace: data in the SYN is the first call", "[netns]") {
  Room room;
  for (const auto netns : {room.client_netns(), room.server_netns()})
    run_in(netns, {"sh", "-c", "echo 0x207 > /proc/sys/net/ipv4/tcp_fastopen"}); // no cookie needed
  Watch watch{room};
  Process server{"server", room.server(), [](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    set_option(listener, IPPROTO_TCP, TCP_FASTOPEN, 16);
    steps.say('l');
    return serve(listener, 100);
  }};
  REQUIRE(server.await() == 'l');
  Process client{"tracee", room.client(), [](const Steps&) {
    const auto where = address(kServerAddress, kPort);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (sendto(fd, "request", 7, MSG_FASTOPEN, where.get(), where.length) != 7) return 1;
    if (receive(fd).empty()) return 2;
    tcp_info info{};
    socklen_t length = sizeof(info);
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
    return (info.tcpi_options & TCPI_OPT_SYN_DATA) != 0 ? 0 : 3;
  }};
  REQUIRE(client.wait() == 0);
  CHECK(watch.counters().calls_started[1] == 1);
  CHECK(watch.counters().calls_completed[1] == 1);
}

TEST_CASE("trace: many connections at once, every call counted once", "[netns]") {
  Room room;
  Watch watch{room};
  constexpr int kClients = 8, kConnections = 10, kCalls = 200;
  Process server{"server", room.server(), [](const Steps& steps) {
    const int listener = listen_on(kServerAddress, kPort);
    for (int i = 0; i < 3; ++i)
      if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        return serve(listener, 0);
      }
    steps.say('l');
    return serve(listener, 0);
  }};
  REQUIRE(server.await() == 'l');
  std::vector<std::unique_ptr<Process>> clients;
  for (int i = 0; i < kClients; ++i)
    clients.push_back(std::make_unique<Process>("tracee", room.client(), [](const Steps&) {
      for (int c = 0; c < kConnections; ++c) {
        const int fd = connect_to(kServerAddress, kPort);
        for (int call = 0; call < kCalls; ++call)
          if (!send_text(fd, "request") || receive(fd).empty()) return 1;
        close(fd);
      }
      return 0;
    }));
  for (const auto& client : clients) CHECK(client->wait() == 0);
  watch.drain();
  const auto counters = watch.counters();
  CHECK(counters.connected[1] == kClients * kConnections);
  CHECK(counters.closed[1] == kClients * kConnections);
  CHECK(counters.calls_started[1] == kClients * kConnections * kCalls);
  CHECK(counters.calls_completed[1] == kClients * kConnections * kCalls);
  CHECK(counters.calls_failed[1] == 0);
  CHECK(watch.count(BROWNOUT_EVENT_CALL) == kClients * kConnections * kCalls);
  CHECK(watch.failures().empty());
}

TEST_CASE("trace: a plan of as many faults as there may be is taken, and its last one is looked at", "[netns]") {
  Room room;
  auto plan = plan_for(kPort + 1);
  plan.faults.resize(BROWNOUT_MAX_FAULTS, plan.faults.front());
  plan.faults.back() = plan_for(kPort).faults.front();
  Watch watch{room, plan};
  Process client{"tracee", room.client(), [](const Steps&) { return connect_to(kServerAddress, kPort) == -1 ? 0 : 1; }};
  const auto event = watch.event(BROWNOUT_EVENT_CONNECT_REFUSED);
  REQUIRE(event);
  CHECK((event->flags & BROWNOUT_EVENT_HIT) != 0);
}

}  // namespace kernel_trace_wire_test
