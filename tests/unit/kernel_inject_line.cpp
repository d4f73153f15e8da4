// SPDX-License-Identifier: MIT
// The delay line without a device: queue, frame, histogram, and a thread on a socket pair.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>
#include <catch2/catch_test_macros.hpp>

#include "../../userspace/kernel/line_frame.hpp"
#include "../../userspace/kernel/line_histogram.hpp"
#include "../../userspace/kernel/line_thread.hpp"

namespace kernel_inject_line_test {

using namespace brownout;
using namespace brownout::kernel;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kMagic = 0xfeedbeef;

std::vector<std::byte> raw(const brownout_line_header& header, std::size_t size, unsigned char fill) {
  std::vector<std::byte> bytes(sizeof header + size, std::byte{fill});
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

// A thread whose TAP is a socket pair.
class LineOnSockets {
 public:
  explicit LineOnSockets(LineThread::Limits limits = {}) {
    std::array<int, 2> pair{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) == 0);
    ours_.reset(pair[0]);
    theirs_.reset(pair[1]);
    thread_ = std::make_unique<LineThread>(LineThread::Config{.tap_queue = theirs_.get(),
                                                              .direction = BROWNOUT_INGRESS,
                                                              .magic = kMagic,
                                                              .control = &control,
                                                              .beats = &beats_,
                                                              .heartbeat_limit = 1s,
                                                              .limits = limits,
                                                              .realtime = false});
    REQUIRE(thread_->start());
  }
  void packet(std::int64_t departure_ns, unsigned char fill, std::uint32_t magic = kMagic) const {
    const VnetHeader vnet{.flags = VnetHeader::kNeedsChecksum, .hdr_len = 78, .csum_start = 58};
    const auto bytes = raw({.magic = magic,
                            .direction = BROWNOUT_INGRESS,
                            .arrival_ns = static_cast<__u64>(monotonic_ns()),
                            .departure_ns = static_cast<__u64>(departure_ns)},
                           100, fill);
    std::vector<std::byte> message(sizeof vnet + bytes.size());
    std::memcpy(message.data(), &vnet, sizeof vnet);
    std::memcpy(message.data() + sizeof vnet, bytes.data(), bytes.size());
    REQUIRE(::send(ours_.get(), message.data(), message.size(), 0) == static_cast<ssize_t>(message.size()));
  }
  // First payload byte of the next packet that came back, or nothing in time.
  std::optional<int> back(std::chrono::milliseconds patience) const {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::array<unsigned char, 512> bytes{};
    while (std::chrono::steady_clock::now() < deadline) {
      const ssize_t got = ::recv(ours_.get(), bytes.data(), bytes.size(), 0);
      if (got == static_cast<ssize_t>(sizeof(VnetHeader) + 100)) return bytes[sizeof(VnetHeader)];
      std::this_thread::sleep_for(1ms);
    }
    return std::nullopt;
  }
  template <typename Condition>
  bool await(Condition condition) const {
    const auto deadline = std::chrono::steady_clock::now() + 2s;
    while (!condition(thread_->counters()) && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(1ms);
    return condition(thread_->counters());
  }
  LineThread& thread() { return *thread_; }
  void close_ours() { ours_.reset(); }

  brownout_control control{};

 private:
  LineBeats beats_{control, BROWNOUT_INGRESS, 1};
  UniqueFd ours_, theirs_;
  std::unique_ptr<LineThread> thread_;
};

std::int64_t in(std::chrono::nanoseconds delay) { return monotonic_ns() + delay.count(); }

}  // namespace

TEST_CASE("a frame loses our header, and its offsets follow") {
  auto bytes = raw({.magic = kMagic, .direction = 1, .arrival_ns = 5, .departure_ns = 9}, 80, 0xaa);
  const VnetHeader vnet{.flags = VnetHeader::kNeedsChecksum,
                        .gso_type = 1,
                        .hdr_len = 90,
                        .gso_size = 1448,
                        .csum_start = 58,
                        .csum_offset = 16};
  const auto frame = unwrap(vnet, bytes, kMagic, 1);
  REQUIRE(frame);
  CHECK(frame->line.departure_ns == 9);
  CHECK(frame->frame.size() == 80);
  CHECK(frame->header.csum_start == 58 - BROWNOUT_LINE_HEADER_LENGTH);
  CHECK(frame->header.hdr_len == 90 - BROWNOUT_LINE_HEADER_LENGTH);
  CHECK(frame->header.gso_size == 1448);
  CHECK(frame->header.csum_offset == 16);
  CHECK_FALSE(unwrap(vnet, bytes, kMagic + 1, 1));
  CHECK_FALSE(unwrap(vnet, bytes, kMagic, 0));
  CHECK_FALSE(unwrap(vnet, std::span{bytes}.first(30), kMagic, 1));
}

TEST_CASE("a VLAN tag that the kernel put into our header goes back where it belongs") {
  const brownout_line_header header{.magic = kMagic,
                                    .direction = 0,
                                    .flags = BROWNOUT_LINE_VLAN,
                                    .arrival_ns = 0x1122334455667788,
                                    .departure_ns = 0x99aabbccddeeff00};
  std::vector<std::byte> plain = raw(header, 0, 0);
  for (int i = 0; i < 60; ++i) plain.push_back(std::byte(i));
  std::vector<std::byte> bytes = plain;
  const std::array tag{std::byte{0x81}, std::byte{0x00}, std::byte{0x00}, std::byte{0x2a}};
  bytes.insert(bytes.begin() + 12, tag.begin(), tag.end());
  const auto frame = unwrap({}, bytes, kMagic, 0);
  REQUIRE(frame);
  CHECK(frame->line.arrival_ns == header.arrival_ns);
  CHECK(frame->line.departure_ns == header.departure_ns);
  std::vector<std::byte> expected(plain.begin() + BROWNOUT_LINE_HEADER_LENGTH, plain.end());
  expected.insert(expected.begin() + 12, tag.begin(), tag.end());
  CHECK(std::vector<std::byte>(frame->frame.begin(), frame->frame.end()) == expected);
}

TEST_CASE("quantiles are within a sixty-fourth of the value") {
  LineHistogram histogram;
  CHECK(histogram.quantile(0.5) == 0);
  for (std::uint64_t i = 1; i <= 100'000; ++i) histogram.add(i * 1000);
  for (const double q : {0.5, 0.9, 0.99}) {
    const double exact = q * 100'000'000;
    CHECK(static_cast<double>(histogram.quantile(q)) <= exact * 1.001);
    CHECK(static_cast<double>(histogram.quantile(q)) >= exact * (1 - 1.0 / 32));
  }
  CHECK(histogram.max() == 100'000'000);
  histogram.add(~0ULL);
  CHECK(histogram.max() == ~0ULL);
  CHECK(histogram.quantile(1.0) > 1ULL << 62);
}

TEST_CASE("a thread sends on time, beats, and counts") {
  LineOnSockets line;
  CHECK(std::atomic_ref{line.control.line_heartbeat_boot_ns[BROWNOUT_INGRESS]}.load() > 0);
  const auto start = monotonic_ns();
  line.packet(in(60ms), 1);
  line.packet(in(20ms), 2);
  CHECK(line.back(2s) == 2);
  CHECK(monotonic_ns() - start >= 20'000'000);
  CHECK(line.back(2s) == 1);
  CHECK(monotonic_ns() - start >= 60'000'000);
  line.packet(in(1ms), 3, kMagic + 1);
  CHECK(line.await([](const LineCounters& c) { return c.received == 3 && c.reinjected == 2 && c.foreign == 1; }));
  const auto beat = std::atomic_ref{line.control.line_heartbeat_boot_ns[BROWNOUT_INGRESS]}.load();
  CHECK(line.await([&](const LineCounters&) {
    return std::atomic_ref{line.control.line_heartbeat_boot_ns[BROWNOUT_INGRESS]}.load() > beat;  // idle, too
  }));
  line.thread().request_stop();
  line.thread().join();
  CHECK(line.control.line_heartbeat_boot_ns[BROWNOUT_INGRESS] == 0);
  CHECK(line.thread().counters().late_max_us < 1'000'000);
  CHECK(line.thread().counters().hold_p50_us >= 19'000);
}

TEST_CASE("overflow, expiry and draining are counted apart") {
  LineOnSockets line{{.packets = 4, .bytes = 1 << 20}};
  for (unsigned char i = 0; i < 10; ++i) line.packet(in(30s), i);
  CHECK(line.await([](const LineCounters& c) { return c.held == 4 && c.overflow == 6; }));
  std::atomic_ref{line.control.draining}.store(1);
  line.thread().wake();
  for (int i = 0; i < 4; ++i) CHECK(line.back(2s) == i);
  std::atomic_ref{line.control.draining}.store(0);
  CHECK(line.await([](const LineCounters& c) { return c.held == 0; }));
  line.packet(in(-2s), 9);
  CHECK(line.await([](const LineCounters& c) { return c.expired == 1; }));
  line.packet(in(30s), 7);
  CHECK(line.await([](const LineCounters& c) { return c.held == 1; }));
  line.thread().request_stop();
  line.thread().join();
  CHECK(line.back(1s) == 7);  // a stop loses nothing
  const auto c = line.thread().counters();
  CHECK(c.received == c.reinjected + c.held + c.overflow + c.expired + c.write_errors + c.foreign);
}

TEST_CASE("a device that is gone ends the thread, the beat with it, and the packets are counted") {
  LineOnSockets line;
  line.packet(in(30s), 1);
  CHECK(line.await([](const LineCounters& c) { return c.held == 1; }));
  line.close_ours();
  line.thread().request_stop();
  line.thread().join();
  CHECK(line.control.line_heartbeat_boot_ns[BROWNOUT_INGRESS] == 0);
  CHECK(line.thread().counters().write_errors == 1);
}

}  // namespace kernel_inject_line_test
