// SPDX-License-Identifier: MIT
// The delay line: the TAP device and one thread for each of its queues.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "line_thread.hpp"
#include "tap_device.hpp"

namespace brownout::kernel {

class DelayLine {
 public:
  struct Config {
    std::uint32_t magic = 0;
    brownout_control* control = nullptr;
    std::chrono::nanoseconds heartbeat_limit{};
    bool realtime = true;
    LineThread::Limits limits;  // of each direction
    std::size_t queues = 0;     // for each direction; 0: as many as the machine has CPUs for
  };
  // The device is there, but down; no thread yet.
  static Result<std::unique_ptr<DelayLine>> make(const Config& config);
  ~DelayLine() { stop(); }

  TapDevice& device() { return device_; }
  Result<> start();
  void wake();
  // Sends what is held and what is still on the way to user space, ends the threads, closes the device.
  void stop();
  std::uint64_t held() const;
  std::array<LineCounters, BROWNOUT_DIRECTIONS> counters() const;
  nlohmann::json description() const;

 private:
  DelayLine(const Config& config, TapDevice device) : config_(config), device_(std::move(device)) {}

  Config config_;
  TapDevice device_;
  std::array<std::unique_ptr<LineBeats>, BROWNOUT_DIRECTIONS> beats_;
  std::vector<std::unique_ptr<LineThread>> threads_;  // in the order of the device's queues
  std::uint64_t device_drops_at_stop_ = 0;
  bool stopped_ = false;
};

}  // namespace brownout::kernel
