// SPDX-License-Identifier: MIT
// Sees to it that what was written reaches the disk, in a thread of its own: a disk that is slow must not delay the
// drill's heartbeat, and one that hangs must end the drill.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "brownout/events.hpp"

namespace brownout::events {

class DiskSync {
 public:
  static constexpr std::chrono::milliseconds kInterval{300};
  // Evidence that is not on disk is no evidence: a drill goes no further without it.
  static constexpr std::chrono::seconds kPatience{5};

  DiskSync() = default;
  ~DiskSync();
  DiskSync(const DiskSync&) = delete;
  DiskSync& operator=(const DiskSync&) = delete;

  // The descriptors stay open as long as this object lives.
  Result<> start(std::vector<int> files);
  // kIo when a sync has failed, or one takes longer than kPatience.
  Result<> check() const;
  DiskFigures figures() const;

 private:
  void run(const std::stop_token& stop);
  void sync_all();

  std::vector<int> files_;
  std::atomic<std::uint64_t> syncs_{0};
  std::atomic<std::int64_t> longest_ns_{0};
  std::atomic<std::int64_t> begun_ns_{0};  // of the one under way; 0: none
  std::atomic<int> error_{0};
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: ends before what it uses
};

}  // namespace brownout::events
