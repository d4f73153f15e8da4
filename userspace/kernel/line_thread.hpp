// SPDX-License-Identifier: MIT
// One direction of the delay line: reads packets from its queue of the TAP, writes each back when it is due.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <thread>
#include <vector>

#include "brownout/clock.hpp"
#include "brownout/fd.hpp"
#include "brownout/kernel.hpp"
#include "line_histogram.hpp"
#include "line_queue.hpp"
#include "published.hpp"

namespace brownout::kernel {

class LineThread {
 public:
  struct Config {
    int tap_queue = -1;
    std::size_t direction = 0;
    std::uint32_t magic = 0;
    brownout_control* control = nullptr;  // mapped; outlives the thread
    std::chrono::nanoseconds heartbeat_limit{};
    LineQueue::Limits limits;
    bool realtime = true;
  };
  explicit LineThread(const Config& config);
  ~LineThread();
  LineThread(const LineThread&) = delete;

  Result<> start();
  void wake();  // look at control->draining now
  // Everything held goes at once, then the thread ends; does not wait for it.
  void request_stop();
  void join();

  LineCounters counters() const { return published_.read(); }
  int realtime_refusal() const { return realtime_errno_; }  // errno; 0: got it, or not asked for
  // How often it left real-time scheduling for a while, so as not to starve the machine.
  std::uint64_t realtime_yields() const { return realtime_yields_.load(std::memory_order_relaxed); }

 private:
  enum class Read { kDrained, kMore, kBroken };

  void run();
  Read read_some();
  void keep(std::span<std::byte> bytes, const VnetHeader& header);
  bool send_due();  // true: more is due
  void send(HeldPacket packet, std::uint64_t now, bool flush);
  void beat();
  void stop_beating();
  void wait();
  void publish(std::uint64_t now, bool quantiles_now);
  bool flushing() const;
  void yield_realtime(std::uint64_t now);
  void regain_realtime();

  Config config_;
  LineQueue queue_;
  std::vector<std::byte> scratch_;
  UniqueFd wake_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  int realtime_errno_ = 0;
  std::atomic<bool> realtime_now_{false};
  std::atomic<std::uint64_t> realtime_yields_{0};

  LineCounters counts_;  // the thread's own
  LineHistogram lateness_, hold_;
  std::uint64_t quantiles_at_ns_ = 0, last_wait_ns_ = 0;
  Published<LineCounters> published_;
};

}  // namespace brownout::kernel
