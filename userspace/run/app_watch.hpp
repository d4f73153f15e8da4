// SPDX-License-Identifier: MIT
// Samples the app's fingerprint, and takes out of it what must not get into a bundle, in a thread of its own: 100 MB of it must
// never delay the drill's heartbeat.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "brownout/events.hpp"

namespace brownout::run {

class AppWatch {
 public:
  // Semantics ask for a look at least every 250 ms; half of that leaves room for a busy machine.
  static constexpr std::chrono::milliseconds kInterval{100};

  AppWatch(std::unique_ptr<events::FingerprintSampler> sampler, Redactor redactor);
  ~AppWatch();
  AppWatch(const AppWatch&) = delete;
  AppWatch& operator=(const AppWatch&) = delete;

  void set_phase(std::uint32_t phase) { phase_ = phase; }
  // Versions seen since the last call.
  std::vector<events::Snapshot> take();
  // Ends the thread; the last version with its body.
  events::Snapshot stop();
  std::int64_t longest_gap_ns();

 private:
  void watch();

  std::unique_ptr<events::FingerprintSampler> sampler_;
  Redactor redactor_;
  std::atomic<std::uint32_t> phase_{0};
  std::mutex mutex_;
  std::condition_variable stopping_changed_;
  bool stopping_ = false;
  std::vector<events::Snapshot> snapshots_;
  std::int64_t longest_gap_ns_ = 0;
  std::thread thread_;
};

}  // namespace brownout::run
