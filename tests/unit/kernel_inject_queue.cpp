// SPDX-License-Identifier: MIT
// What the delay line holds: the order of departures, the memory of packets, and that neither allocates.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <new>
#include <random>
#include <set>

#include <catch2/catch_test_macros.hpp>

#include "../../userspace/kernel/line_packets.hpp"
#include "../../userspace/kernel/line_queue.hpp"

namespace {

std::atomic<std::uint64_t> allocations{0};

void* counted(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc{};
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace kernel_inject_queue_test {

using namespace brownout;
using namespace brownout::kernel;

namespace {

constexpr std::uint32_t kMagic = 0xfeedbeef;
constexpr std::size_t kHeaders = sizeof(VnetHeader) + BROWNOUT_LINE_HEADER_LENGTH;

LinePackets packets_of(std::size_t bytes) {
  auto made = LinePackets::make(bytes);
  REQUIRE(made);
  return std::move(*made);
}

std::byte pattern(std::size_t i) { return static_cast<std::byte>(i * 7 + i / 256); }

// As a read of the TAP would: a frame of `size` bytes with both headers in front, scattered over the room.
std::size_t read_into(LinePackets& packets, std::size_t size, std::uint64_t departure_ns = 9,
                      std::uint32_t magic = kMagic) {
  std::vector<std::byte> bytes(kHeaders + size);
  const VnetHeader vnet{.flags = VnetHeader::kNeedsChecksum, .hdr_len = 90, .csum_start = 58};
  const brownout_line_header line{.magic = magic, .direction = 1, .arrival_ns = 5, .departure_ns = departure_ns};
  std::memcpy(bytes.data(), &vnet, sizeof vnet);
  std::memcpy(bytes.data() + sizeof vnet, &line, sizeof line);
  for (std::size_t i = 0; i < size; ++i) bytes[kHeaders + i] = pattern(i);
  std::size_t done = 0;
  for (const iovec& part : packets.room()) {
    const std::size_t here = std::min(part.iov_len, bytes.size() - done);
    std::memcpy(part.iov_base, bytes.data() + done, here);
    done += here;
  }
  REQUIRE(done == bytes.size());
  return done;
}

// What a write to the TAP would be given.
std::vector<std::byte> written(const HeldPacket& packet) {
  LinePackets::Parts parts{};
  const std::size_t count = LinePackets::parts(packet, parts);
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < count; ++i) {
    const auto* start = static_cast<const std::byte*>(parts[i].iov_base);
    bytes.insert(bytes.end(), start, start + parts[i].iov_len);
  }
  return bytes;
}

}  // namespace

TEST_CASE("packets leave by departure, and in order of arrival where that is equal") {
  LineQueue queue{100};
  std::array<HeldPacket, 5> packets{};
  const std::array departures{30U, 10U, 20U, 10U, 20U};
  for (std::size_t i = 0; i < 5; ++i) REQUIRE(queue.push(departures[i], &packets[i]));
  CHECK(queue.next_departure() == 10U);
  std::vector<std::ptrdiff_t> order;
  while (queue.next_departure()) order.push_back(queue.pop() - packets.data());
  CHECK(order == std::vector<std::ptrdiff_t>{1, 3, 2, 4, 0});
  CHECK(queue.packets() == 0);
}

TEST_CASE("any mixture of departures leaves as a sorted list would") {
  std::mt19937_64 random{7};
  LineQueue queue{1000};
  std::array<HeldPacket, 1000> packets{};
  std::multiset<std::pair<std::uint64_t, std::size_t>> model;
  std::vector<std::size_t> free_slots(1000);
  for (std::size_t i = 0; i < 1000; ++i) free_slots[i] = i;
  std::vector<std::uint64_t> arrival(1000);
  std::uint64_t now = 0, sequence = 0;
  for (int step = 0; step < 200'000; ++step) {
    ++now;
    if (!free_slots.empty() && random() % 2 == 0) {
      const std::size_t slot = free_slots.back();
      free_slots.pop_back();
      const std::uint64_t departure = now + (step / 10'000 % 2 != 0 ? 300 : random() % 400);
      packets[slot] = {.departure_ns = departure, .arrival_ns = sequence};
      REQUIRE(queue.push(departure, &packets[slot]));
      model.emplace(departure, sequence++);
    } else if (!model.empty()) {
      REQUIRE(queue.next_departure() == model.begin()->first);
      const HeldPacket* const packet = queue.pop();
      REQUIRE(packet->departure_ns == model.begin()->first);
      REQUIRE(packet->arrival_ns == model.begin()->second);
      model.erase(model.begin());
      free_slots.push_back(static_cast<std::size_t>(packet - packets.data()));
    }
    REQUIRE(queue.packets() == model.size());
  }
}

TEST_CASE("the queue is bounded in packets") {
  LineQueue queue{3};
  HeldPacket packet{};
  for (const std::uint64_t departure : {3U, 1U, 2U}) CHECK(queue.push(departure, &packet));
  CHECK_FALSE(queue.push(9, &packet));
  queue.pop();
  CHECK(queue.push(9, &packet));
}

TEST_CASE("a packet of any size is written as it was read, without our header") {
  LinePackets packets = packets_of(std::size_t{1} << 20);
  for (const std::size_t size : {18U, 60U, 150U, 182U, 183U, 1514U, 2220U, 2231U, 2232U, 9014U, 18'600U, 18'700U,
                                 30'000U, 65'226U, 65'557U}) {
    INFO(size);
    HeldPacket* packet = nullptr;
    REQUIRE(packets.keep(read_into(packets, size), kMagic, 1, packet) == LinePackets::Kept::kYes);
    CHECK(packet->departure_ns == 9);
    CHECK(packet->arrival_ns == 5);
    read_into(packets, 60'000);  // the next one is read somewhere else
    const auto bytes = written(*packet);
    REQUIRE(bytes.size() == sizeof(VnetHeader) + size);
    VnetHeader header;
    std::memcpy(&header, bytes.data(), sizeof header);
    CHECK(header.csum_start == 58 - BROWNOUT_LINE_HEADER_LENGTH);
    bool same = true;
    for (std::size_t i = 0; i < size; ++i) same &= bytes[sizeof header + i] == pattern(i);
    CHECK(same);
    packets.release(packet);
    CHECK(packets.bytes() == 0);
  }
}

TEST_CASE("what is foreign or too short is not kept") {
  LinePackets packets = packets_of(std::size_t{1} << 20);
  HeldPacket* packet = nullptr;
  CHECK(packets.keep(read_into(packets, 60, 9, kMagic + 1), kMagic, 1, packet) == LinePackets::Kept::kForeign);
  CHECK(packets.keep(read_into(packets, 60), kMagic, 0, packet) == LinePackets::Kept::kForeign);
  CHECK(packets.keep(read_into(packets, 60) - 50, kMagic, 1, packet) == LinePackets::Kept::kForeign);
  CHECK(packets.keep(3, kMagic, 1, packet) == LinePackets::Kept::kForeign);
  CHECK(packets.bytes() == 0);
}

TEST_CASE("memory for packets is bounded, and all of it comes back for packets of another size") {
  constexpr std::size_t kLimit = std::size_t{4} << 20;
  LinePackets packets = packets_of(kLimit);
  std::deque<HeldPacket*> held;
  const auto fill = [&](std::size_t size) {
    for (HeldPacket* packet = nullptr;
         packets.keep(read_into(packets, size), kMagic, 1, packet) == LinePackets::Kept::kYes;)
      held.push_back(packet);
    CHECK(packets.bytes() <= kLimit);
    return held.size();
  };
  const auto empty = [&] {
    for (; !held.empty(); held.pop_front()) packets.release(held.front());
    CHECK(packets.bytes() == 0);
  };
  const std::size_t small = fill(100);
  CHECK(small >= kLimit / LinePackets::kFirst * 9 / 10);
  empty();
  const std::size_t large = fill(65'000);
  CHECK(large >= 50);
  empty();
  CHECK(fill(100) == small);
  empty();
  CHECK(fill(65'000) == large);
  empty();
}

TEST_CASE("holding and releasing packets allocates nothing") {
  LinePackets packets = packets_of(std::size_t{16} << 20);
  LineQueue queue{4096};
  std::mt19937_64 random{3};
  std::vector<std::size_t> sizes(1000);
  for (auto& size : sizes) size = 40 + random() % 60'000;
  const std::uint64_t before = allocations;
  std::uint64_t kept = 0;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    // Only the headers matter to keep().
    const brownout_line_header line{.magic = kMagic, .direction = 1, .arrival_ns = i,
                                    .departure_ns = i + sizes[i % 1000] % 300};
    auto* const start = static_cast<std::byte*>(packets.room()[0].iov_base);
    std::memset(start, 0, sizeof(VnetHeader));
    std::memcpy(start + sizeof(VnetHeader), &line, sizeof line);
    HeldPacket* packet = nullptr;
    if (packets.keep(kHeaders + sizes[i % 1000], kMagic, 1, packet) == LinePackets::Kept::kYes) {
      ++kept;
      if (!queue.push(packet->departure_ns, packet)) packets.release(packet);
    }
    while (queue.next_departure() && *queue.next_departure() <= i) packets.release(queue.pop());
  }
  const std::uint64_t made = allocations - before;
  CHECK(made == 0);
  CHECK(kept > 50'000);
}

}  // namespace kernel_inject_queue_test
