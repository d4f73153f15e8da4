// SPDX-License-Identifier: MIT
#include "line_thread.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <fmt/format.h>

#include "line_frame.hpp"

namespace brownout::kernel {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLargestRead = PacketPool::kLargest;
constexpr int kBatch = 256;                       // packets, before the other half of the work gets its turn
constexpr std::uint64_t kExpiry = 1'000'000'000;  // after its departure a packet of a stopped process is history
constexpr std::uint64_t kQuantilesEvery = 200'000'000;
constexpr std::uint64_t kBusyLimit = 50'000'000;  // without a pause, in real time
constexpr int kPriority = 10;

std::uint64_t now_ns() { return static_cast<std::uint64_t>(monotonic_ns()); }

int set_scheduling(pthread_t thread, bool realtime) {
  sched_param parameter{};
  parameter.sched_priority = realtime ? kPriority : 0;
  return ::pthread_setschedparam(thread, realtime ? SCHED_FIFO : SCHED_OTHER, &parameter);
}

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

LineThread::LineThread(const Config& config) : config_(config), queue_(config.limits), scratch_(kLargestRead) {}

LineThread::~LineThread() {
  request_stop();
  join();
}

Result<> LineThread::start() {
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
  if (config_.realtime) realtime_errno_ = set_scheduling(thread_.native_handle(), true);
  realtime_now_ = config_.realtime && realtime_errno_ == 0;
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
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // ns
  last_wait_ns_ = now_ns();
  while (true) {
    const Read read = read_some();
    if (read == Read::kBroken) break;
    const bool more_due = send_due();
    beat();
    const std::uint64_t now = now_ns();
    publish(now, false);
    const bool idle = read == Read::kDrained && !more_due;
    if (idle && queue_.packets() == 0 && stop_.load(std::memory_order_acquire)) break;
    if (idle)
      wait();
    else
      yield_realtime(now);
  }
  stop_beating();  // from now on the program passes packets instead of sending them here
  stop_.store(true, std::memory_order_release);
  while (queue_.packets() > 0) send_due();  // only after a broken device: each one counts as a write error
  publish(now_ns(), true);
}

LineThread::Read LineThread::read_some() {
  for (int i = 0; i < kBatch; ++i) {
    VnetHeader header{};
    std::array<iovec, 2> parts{{{&header, sizeof header}, {scratch_.data(), scratch_.size()}}};
    const ssize_t got = ::readv(config_.tap_queue, parts.data(), static_cast<int>(parts.size()));
    if (got < 0 && errno == EAGAIN) return Read::kDrained;
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Read::kBroken;  // the device is gone
    ++counts_.received;
    const auto size = static_cast<std::size_t>(got);
    keep(std::span{scratch_.data(), size - std::min(size, sizeof header)}, header);
  }
  return Read::kMore;
}

void LineThread::keep(std::span<std::byte> bytes, const VnetHeader& header) {
  const auto frame = unwrap(header, bytes, config_.magic, static_cast<std::uint16_t>(config_.direction));
  if (!frame) {
    ++counts_.foreign;
    return;
  }
  if (!queue_.push(frame->line.departure_ns, frame->line.arrival_ns, frame->header, frame->frame)) ++counts_.overflow;
}

bool LineThread::send_due() {
  const bool flush = flushing();
  for (int i = 0; i < kBatch; ++i) {
    const auto departure = queue_.next_departure();
    if (!departure) return false;
    const std::uint64_t now = now_ns();
    if (!flush && *departure > now) return false;
    send(queue_.pop(), now, flush);
  }
  return true;
}

void LineThread::send(HeldPacket packet, std::uint64_t now, bool flush) {
  if (!flush && now > packet.departure_ns + kExpiry) {
    ++counts_.expired;
    queue_.recycle(std::move(packet));
    return;
  }
  std::array<iovec, 2> parts{{{&packet.header, sizeof packet.header}, {packet.buffer.data(), packet.length}}};
  const ssize_t wrote = ::writev(config_.tap_queue, parts.data(), static_cast<int>(parts.size()));
  if (wrote != static_cast<ssize_t>(sizeof packet.header + packet.length)) {
    ++counts_.write_errors;
  } else {
    ++counts_.reinjected;
    if (!flush) lateness_.add(now - packet.departure_ns);
    if (!flush) hold_.add(now - packet.arrival_ns);
  }
  queue_.recycle(std::move(packet));
}

void LineThread::beat() {
  std::atomic_ref{config_.control->line_heartbeat_boot_ns[config_.direction]}.store(
      static_cast<std::uint64_t>(boottime_ns()), std::memory_order_release);
}

void LineThread::stop_beating() {
  std::atomic_ref{config_.control->line_heartbeat_boot_ns[config_.direction]}.store(0, std::memory_order_release);
}

void LineThread::wait() {
  auto pause = std::min<std::chrono::nanoseconds>(config_.heartbeat_limit / 4, 100ms);
  const std::uint64_t now = now_ns();
  if (const auto departure = queue_.next_departure()) {
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
  last_wait_ns_ = now_ns();
  regain_realtime();
}

void LineThread::publish(std::uint64_t now, bool quantiles_now) {
  counts_.held = queue_.packets();
  counts_.held_bytes = queue_.bytes();
  if (quantiles_now || now - quantiles_at_ns_ >= kQuantilesEvery) {
    quantiles_at_ns_ = now;
    counts_.late_p50_us = lateness_.quantile(0.5) / 1000;
    counts_.late_p99_us = lateness_.quantile(0.99) / 1000;
    counts_.late_max_us = lateness_.max() / 1000;
    counts_.hold_p50_us = hold_.quantile(0.5) / 1000;
  }
  published_.publish(counts_);
}

void LineThread::yield_realtime(std::uint64_t now) {
  if (!realtime_now_.load(std::memory_order_relaxed) || now - last_wait_ns_ < kBusyLimit) return;
  if (set_scheduling(::pthread_self(), false) != 0) return;
  realtime_now_.store(false, std::memory_order_relaxed);
  realtime_yields_.fetch_add(1, std::memory_order_relaxed);
}

void LineThread::regain_realtime() {
  if (!config_.realtime || realtime_yields_.load(std::memory_order_relaxed) == 0 ||
      realtime_now_.load(std::memory_order_relaxed))
    return;
  realtime_now_.store(set_scheduling(::pthread_self(), true) == 0, std::memory_order_relaxed);
}

}  // namespace brownout::kernel
