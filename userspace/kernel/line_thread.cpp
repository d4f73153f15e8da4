// SPDX-License-Identifier: MIT
#include "line_thread.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <fmt/format.h>

#include "brownout/capabilities.hpp"

namespace brownout::kernel {
namespace {

using namespace std::chrono_literals;

// What is read before what is due gets its turn: enough to spread the cost of a round, little enough that the bytes
// are still in the CPU's cache when they are written, and that nothing due waits long.
constexpr int kReadPackets = 32;
constexpr std::size_t kReadBytes = std::size_t{256} << 10;
constexpr int kSendPackets = 64;
constexpr std::uint64_t kExpiry = 1'000'000'000;  // after its departure a packet of a stopped process is history
constexpr std::uint64_t kPublishEvery = 1'000'000, kQuantilesEvery = 200'000'000, kLookEvery = 50'000'000;

std::uint64_t now_ns() { return static_cast<std::uint64_t>(monotonic_ns()); }

// New threads inherit the mask: signals are for the drill's own thread.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

LineThread::LineThread(const Config& config)
    : config_(config),
      queue_(config.limits.packets),
      scheduling_(config.realtime, static_cast<unsigned>(BROWNOUT_DIRECTIONS * config.queues)) {}

LineThread::~LineThread() {
  request_stop();
  join();
}

Result<> LineThread::start() {
  BROWNOUT_ASSIGN(packets_, LinePackets::make(config_.limits.bytes));
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_) return fail_errno(ErrorCode::kKernel, "make an eventfd");
  beat();  // before the first packet can come
  try {
    const AllSignalsBlocked blocked;
    thread_ = std::thread{[this] { run(); }};
  } catch (const std::system_error& error) {
    stop_beating();
    return fail_errno(ErrorCode::kKernel, error.code().value(), "start a thread of the delay line");
  }
  ::pthread_setname_np(thread_.native_handle(), fmt::format("brownout-line{}", config_.direction).c_str());
  return {};
}

void LineThread::wake() {
  const std::uint64_t one = 1;
  // Refused only when the counter is full, and then the thread wakes anyway.
  if (wake_) static_cast<void>(!::write(wake_.get(), &one, sizeof one));
}

void LineThread::request_stop() {
  stop_.store(true, std::memory_order_release);
  wake();
}

void LineThread::join() {
  if (thread_.joinable()) thread_.join();
}

bool LineThread::flushing() const {
  return stop_.load(std::memory_order_acquire) ||
         std::atomic_ref{config_.control->draining}.load(std::memory_order_acquire) != 0;
}

void LineThread::run() {
  static_cast<void>(keep_only({CAP_SYS_NICE}));
  scheduling_.begin();
  while (true) {
    const Read read = read_some();
    if (read == Read::kBroken) break;
    const bool more_due = send_due();
    const std::uint64_t now = now_ns();
    look_at_device(now);
    beat();
    const bool idle = read == Read::kDrained && !more_due;
    publish(now, idle);
    if (idle && queue_.packets() == 0 && stop_.load(std::memory_order_acquire)) break;
    scheduling_.review(now);
    if (idle) wait();
  }
  stop_beating();  // from now on the program passes packets instead of sending them here
  stop_.store(true, std::memory_order_release);
  while (queue_.packets() > 0) send_due();  // only after a broken device: each one counts as a write error
  quantiles_ns_ = 0;
  publish(now_ns(), true);
}

LineThread::Read LineThread::read_some() {
  std::size_t bytes = 0;
  for (int i = 0; i < kReadPackets && bytes < kReadBytes; ++i) {
    const auto& room = packets_->room();
    const ssize_t got = ::readv(config_.tap_queue, room.data(), static_cast<int>(room.size()));
    if (got < 0 && errno == EAGAIN) return Read::kDrained;
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Read::kBroken;  // the device is gone
    ++counts_.received;
    bytes += static_cast<std::size_t>(got);
    keep(static_cast<std::size_t>(got));
  }
  return Read::kMore;
}

void LineThread::keep(std::size_t length) {
  HeldPacket* packet = nullptr;
  const auto kept = packets_->keep(length, config_.magic, static_cast<std::uint16_t>(config_.direction), packet);
  if (kept == LinePackets::Kept::kForeign) {
    ++counts_.foreign;
  } else if (kept == LinePackets::Kept::kNoMemory) {
    ++counts_.overflow;
  } else if (!queue_.push(packet->departure_ns, packet)) {
    packets_->release(packet);
    ++counts_.overflow;
  }
}

bool LineThread::send_due() {
  const bool flush = flushing();
  for (int i = 0; i < kSendPackets; ++i) {
    const auto departure = queue_.next_departure();
    if (!departure) return false;
    const std::uint64_t now = now_ns();
    if (!flush && *departure > now) return false;
    send(queue_.pop(), now, flush);
  }
  return true;
}

void LineThread::send(HeldPacket* packet, std::uint64_t now, bool flush) {
  if (!flush && now > packet->departure_ns + kExpiry) {
    ++counts_.expired;
    packets_->release(packet);
    return;
  }
  LinePackets::Parts parts{};
  const std::size_t count = LinePackets::parts(*packet, parts);
  if (::writev(config_.tap_queue, parts.data(), static_cast<int>(count)) != static_cast<ssize_t>(packet->length)) {
    ++counts_.write_errors;
    looked_ns_ = 0;
  } else {
    ++counts_.reinjected;
    if (!flush) lateness_.add(now - packet->departure_ns);
    if (!flush) hold_.add(now - packet->arrival_ns);
  }
  packets_->release(packet);
}

// A device that is down takes no packet back, and drops what is sent to it before we could count it: without a beat
// the program passes packets until somebody has set it up again.
void LineThread::look_at_device(std::uint64_t now) {
  if (now - looked_ns_ < kLookEvery) return;
  looked_ns_ = now;
  pollfd writable{config_.tap_queue, POLLOUT, 0};
  device_down_ = ::poll(&writable, 1, 0) != 1 || (writable.revents & POLLOUT) == 0;
}

void LineThread::beat() {
  if (device_down_) return stop_beating();
  config_.beats->beat(config_.queue, static_cast<std::uint64_t>(boottime_ns()));
}

void LineThread::stop_beating() { config_.beats->beat(config_.queue, 0); }

void LineThread::wait() {
  auto pause = std::min<std::chrono::nanoseconds>(config_.heartbeat_limit / 4, 100ms);
  if (const auto departure = queue_.next_departure()) {
    const std::uint64_t now = now_ns();
    if (*departure <= now) return;
    pause = std::min(pause, std::chrono::nanoseconds{*departure - now});
  }
  const timespec timeout{.tv_sec = pause / 1s, .tv_nsec = static_cast<long>((pause % 1s).count())};
  std::array<pollfd, 2> fds{{{config_.tap_queue, POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
  ::ppoll(fds.data(), fds.size(), &timeout, nullptr);
  if (fds[1].revents & POLLIN) {
    std::uint64_t drained = 0;
    static_cast<void>(!::read(wake_.get(), &drained, sizeof drained));
  }
}

void LineThread::publish(std::uint64_t now, bool everything) {
  if (!everything && now - published_ns_ < kPublishEvery) return;
  published_ns_ = now;
  counts_.held = queue_.packets();
  counts_.held_bytes = packets_->bytes();
  if (now - quantiles_ns_ >= kQuantilesEvery) {
    quantiles_ns_ = now;
    counts_.late_p50_us = lateness_.quantile(0.5) / 1000;
    counts_.late_p99_us = lateness_.quantile(0.99) / 1000;
    counts_.late_max_us = lateness_.max() / 1000;
    counts_.hold_p50_us = hold_.quantile(0.5) / 1000;
  }
  published_.publish(counts_);
}

}  // namespace brownout::kernel
