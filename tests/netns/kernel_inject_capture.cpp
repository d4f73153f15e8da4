// SPDX-License-Identifier: MIT
// Captures of real traffic: every packet that was hit is on record, with its header and without what it carries.
#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "support/inject_run.hpp"

namespace kernel_inject_capture_test {

using namespace brownout;
using namespace brownout::test;
using namespace std::chrono_literals;

namespace {

constexpr int kPackets = 1000;
constexpr std::size_t kUdpHeaders = 14 + 20 + 8;

plan::Plan capturing(const std::vector<FaultBuilder>& faults, std::uint64_t packets) {
  auto plan = plan_of(faults);
  plan.drill.capture = {.packets = packets};
  return plan;
}

std::vector<brownout_capture_record> take(kernel::Injector& injector) {
  std::vector<brownout_capture_record> captures;
  while (true) {
    const auto before = captures.size();
    REQUIRE(injector.consume_captures([&](const brownout_capture_record& record) { captures.push_back(record); }));
    if (captures.size() == before) return captures;
  }
}

// A busy host hands packets to another thread of the kernel.
void await_matched(kernel::Injector& injector, std::uint64_t packets) {
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  while (injector.fault_counters().at(BROWNOUT_EGRESS).matched.packets < packets &&
         std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(1ms);
}

std::uint64_t sum(const __u64 (&values)[BROWNOUT_DIRECTIONS]) { return values[0] + values[1]; }

std::uint16_t word_at(const brownout_capture_record& record, std::size_t at) {
  return static_cast<std::uint16_t>(record.bytes[at] << 8 | record.bytes[at + 1]);
}

}  // namespace

TEST_CASE("every packet that loss and latency hit is on record, before and after the end") {
  const VethRoom room;
  {
    InjectRun run{room, capturing({FaultBuilder::loss(0.2).directions(kEgressOnly).port(7401),
                                   FaultBuilder::latency(20ms, 10ms).directions(kEgressOnly).port(7401)}, 100'000)};
    DatagramPath path{room.container(), kContainer4, room.host(), kHost4, 7401};
    const auto begun = static_cast<std::uint64_t>(monotonic_ns());
    path.send_paced(kPackets / 2, 100us);
    await_matched(*run, kPackets / 2);
    auto captures = take(*run);
    CHECK(captures.size() == kPackets / 2);
    path.send_paced(kPackets / 2, 100us);
    await_matched(*run, kPackets);
    REQUIRE(run->detach());
    const auto ended = static_cast<std::uint64_t>(monotonic_ns());
    const auto rest = take(*run);
    captures.insert(captures.end(), rest.begin(), rest.end());
    REQUIRE(captures.size() == kPackets);

    const auto faults = run->fault_counters();
    const auto dropped = faults.at(BROWNOUT_EGRESS).applied.packets;
    const auto delayed = run->delay_figures().at(BROWNOUT_EGRESS).packets;
    CHECK(dropped + delayed == kPackets);
    CHECK(dropped == static_cast<std::uint64_t>(std::ranges::count(captures, BROWNOUT_CAPTURE_DROPPED, &brownout_capture_record::verdict)));
    std::set<std::uint64_t> numbers;
    for (const auto& record : captures) {
      numbers.insert(record.number);
      CHECK(record.direction == BROWNOUT_EGRESS);
      CHECK(record.captured == kUdpHeaders); // of 64 bytes of payload none
      CHECK(record.length == kUdpHeaders + 64);
      CHECK(word_at(record, 12) == 0x0800);
      CHECK(record.bytes[23] == IPPROTO_UDP);
      CHECK(word_at(record, 36) == 7401);
      CHECK(record.t_mono_ns >= begun);
      CHECK(record.t_mono_ns <= ended);
      if (record.verdict == BROWNOUT_CAPTURE_DROPPED) CHECK(record.delay_ns == 0);
      if (record.verdict == BROWNOUT_CAPTURE_DELAYED) CHECK(record.drawn_ns >= 10'000'000);
      CHECK(record.delay_ns >= record.drawn_ns);
      if (record.verdict == BROWNOUT_CAPTURE_DELAYED) CHECK(record.delay_ns <= 30'000'000);
    }
    CHECK(numbers.size() == kPackets);
    CHECK(*numbers.rbegin() == kPackets - 1);
    CHECK(sum(run->capture_counters().captured) == kPackets);
    CHECK(sum(run->capture_counters().lost) + sum(run->capture_counters().beyond) == 0);
    CHECK(path.await(delayed, 2s));
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("of both directions no more than the bound, and the rest counted") {
  const VethRoom room;
  {
    InjectRun run{room, capturing({FaultBuilder::latency(5ms).protocol(IPPROTO_UDP)}, 300)};
    DatagramPath out{room.container(), kContainer4, room.host(), kHost4, 7402};
    DatagramPath in{room.host(), kHost4, room.container(), kContainer4, 7403};
    out.send_paced(200, 100us);
    in.send_paced(200, 100us);
    CHECK(out.await(200, 2s));
    CHECK(in.await(200, 2s));
    REQUIRE(run->detach());
    const auto counters = run->capture_counters();
    CHECK(take(*run).size() == 300);
    CHECK(counters.captured[BROWNOUT_EGRESS] == 200);
    CHECK(counters.captured[BROWNOUT_INGRESS] == 100);
    CHECK(counters.beyond[BROWNOUT_INGRESS] == 100);
    CHECK(sum(counters.lost) == 0);
  }
  CHECK(room.leftovers() == "");
}

TEST_CASE("nothing of a conversation over TCP is on record but its headers, segments that are sent in one piece included") {
  const VethRoom room;
  {
    InjectRun run{room, capturing({FaultBuilder::latency(2ms).protocol(IPPROTO_TCP)}, 100'000)};
    const UniqueFd listener = bound_in(room.host(), kHost4, 7404, SOCK_STREAM);
    REQUIRE(::listen(listener.get(), 1) == 0);
    const UniqueFd client = socket_in(room.container(), kHost4, SOCK_STREAM);
    const auto where = address(kHost4, 7404);
    REQUIRE(::connect(client.get(), where.get(), where.length) == 0);
    const UniqueFd server{::accept(listener.get(), nullptr, nullptr)};
    constexpr std::string_view kSecret = "hunter2-hunter2-";
    std::string secret;
    while (secret.size() < 200'000) secret += kSecret;
    std::jthread sender{[&] { static_cast<void>(::send(client.get(), secret.data(), secret.size(), 0)); }};
    std::vector<char> buffer(1 << 16);
    for (std::size_t got = 0; got < secret.size();) {
      const auto more = ::recv(server.get(), buffer.data(), buffer.size(), 0);
      REQUIRE(more > 0);
      got += static_cast<std::size_t>(more);
    }
    sender.join();
    REQUIRE(run->detach());
    const auto captures = take(*run);
    CHECK(captures.size() == run->delay_figures()[0].packets + run->delay_figures()[1].packets);
    std::uint64_t bytes = 0, largest = 0;
    for (const auto& record : captures) {
      const std::string_view text{reinterpret_cast<const char*>(record.bytes), record.captured};
      CHECK(text.find("hunter2") == std::string_view::npos);
      CHECK(record.tcp_at == 34);
      REQUIRE(record.captured >= 54);
      CHECK(record.captured == 34 + (record.bytes[46] >> 4) * 4);
      if (record.direction == BROWNOUT_EGRESS) bytes += record.length - record.captured;
      if (record.length > 1514) CHECK(record.segments > 1);
      largest = std::max<std::uint64_t>(largest, record.segments);
    }
    CHECK(bytes >= secret.size()); // more, where something was sent again
    CHECK(largest > 1);
  }
  CHECK(room.leftovers() == "");
}

}  // namespace kernel_inject_capture_test
