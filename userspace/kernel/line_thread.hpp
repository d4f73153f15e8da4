// SPDX-License-Identifier: MIT
// One queue of the delay line's TAP: reads packets from it, writes each back when it is due.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>

#include "brownout/clock.hpp"
#include "brownout/fd.hpp"
#include "brownout/kernel.hpp"
#include "line_beats.hpp"
#include "line_histogram.hpp"
#include "line_packets.hpp"
#include "line_queue.hpp"
#include "line_scheduling.hpp"
#include "published.hpp"

namespace brownout::kernel {

class LineThread {
 public:
  struct Limits {
    std::size_t packets = std::size_t{1} << 18;
    std::size_t bytes = std::size_t{256} << 20;  // of buffers
  };
  struct Config {
    int tap_queue = -1;
    std::size_t direction = 0;
    std::size_t queue = 0, queues = 1;  // of this direction
    std::uint32_t magic = 0;
    brownout_control* control = nullptr;  // mapped; outlives the thread
    LineBeats* beats = nullptr;           // of this direction; outlives the thread
    std::chrono::nanoseconds heartbeat_limit{};
    Limits limits;
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
  int realtime_refusal() const { return scheduling_.refusal(); }
  // How often it left real-time scheduling for a while, so as not to starve the machine.
  std::uint64_t realtime_yields() const { return scheduling_.yields(); }

 private:
  enum class Read { kDrained, kMore, kBroken };

  void run();
  Read read_some();
  void keep(std::size_t length);
  bool send_due();  // true: more is due
  void send(HeldPacket* packet, std::uint64_t now, bool flush);
  void beat();
  void stop_beating();
  void look_at_device(std::uint64_t now);
  void wait();
  void publish(std::uint64_t now, bool everything);
  bool flushing() const;

  Config config_;
  LineQueue queue_;
  std::optional<LinePackets> packets_;
  LineScheduling scheduling_;
  UniqueFd wake_;
  std::thread thread_;
  std::atomic<bool> stop_{false};

  LineCounters counts_;  // the thread's own
  LineHistogram lateness_, hold_;
  std::uint64_t published_ns_ = 0, quantiles_ns_ = 0, looked_ns_ = 0;
  bool device_down_ = false;
  Published<LineCounters> published_;
};

}  // namespace brownout::kernel
