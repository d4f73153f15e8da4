// SPDX-License-Identifier: MIT
#include "datagrams.hpp"

#include <atomic>
#include <thread>

#include "sleeper.hpp"
#include "support/netns_traffic.hpp"

namespace brownout::bench {
namespace {

constexpr std::uint16_t kDatagramPort = 7900;
constexpr std::size_t kSize = 32;

struct Ends {
  UniqueFd sender, receiver;
};

Ends open_ends(const Way& way) {
  Ends ends{.sender = test::bound_in(way.from, way.from_address, 0, SOCK_DGRAM),
            .receiver = test::bound_in(way.to, way.to_address, kDatagramPort, SOCK_DGRAM)};
  const auto where = test::address(way.to_address, kDatagramPort);
  if (::connect(ends.sender.get(), where.get(), where.length) != 0) throw std::runtime_error("connect");
  const timeval pause{.tv_sec = 0, .tv_usec = 20'000};
  ::setsockopt(ends.receiver.get(), SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof pause);
  return ends;
}

void send_now(int fd) {
  std::array<char, kSize> datagram{};
  const std::int64_t now = monotonic_ns();
  std::memcpy(datagram.data(), &now, sizeof now);
  static_cast<void>(!::send(fd, datagram.data(), datagram.size(), 0));
}

}  // namespace

DatagramBlock paced_block(const Way& way, int count, std::chrono::nanoseconds interval,
                          std::chrono::nanoseconds patience) {
  const Ends ends = open_ends(way);
  DatagramBlock block;
  block.one_way_us.reserve(static_cast<std::size_t>(count));
  std::atomic<std::int64_t> give_up_ns{INT64_MAX};
  std::thread receiver{[&] {
    set_realtime(kTrafficPriority);
    while (block.one_way_us.size() < static_cast<std::size_t>(count) && monotonic_ns() < give_up_ns) {
      std::array<char, 2048> buffer{};
      if (::recv(ends.receiver.get(), buffer.data(), buffer.size(), 0) < static_cast<ssize_t>(kSize)) continue;
      std::int64_t sent = 0;
      const std::int64_t now = monotonic_ns();
      std::memcpy(&sent, buffer.data(), sizeof sent);
      block.one_way_us.push_back(static_cast<double>(now - sent) / 1e3);
    }
  }};
  std::thread{[&] {
    set_realtime(kTrafficPriority);
    std::int64_t next = monotonic_ns();
    for (int i = 0; i < count; ++i) {
      sleep_until_ns(next += interval.count());
      send_now(ends.sender.get());
    }
  }}.join();
  give_up_ns = monotonic_ns() + patience.count();
  receiver.join();
  block.missing = count - static_cast<int>(block.one_way_us.size());
  return block;
}

DatagramRate unpaced(const Way& way, std::chrono::milliseconds time, std::chrono::nanoseconds delay) {
  const Ends ends = open_ends(way);
  std::atomic<bool> over{false};
  std::uint64_t sent = 0, received = 0;
  std::thread receiver{[&] {
    std::array<char, 2048> buffer{};
    while (true) {
      const ssize_t got = ::recv(ends.receiver.get(), buffer.data(), buffer.size(), 0);
      if (got > 0)
        ++received;
      else if (over)
        break;
    }
  }};
  const std::int64_t start = monotonic_ns();
  const std::int64_t end = start + std::chrono::nanoseconds{time}.count();
  for (; monotonic_ns() < end; ++sent) send_now(ends.sender.get());
  const double seconds = static_cast<double>(monotonic_ns() - start) / 1e9;
  std::this_thread::sleep_for(delay + std::chrono::milliseconds{100});  // what is held is still to come
  over = true;
  receiver.join();
  return {.sent_per_s = static_cast<double>(sent) / seconds, .received_per_s = static_cast<double>(received) / seconds};
}

}  // namespace brownout::bench
