// SPDX-License-Identifier: MIT
// Sees to it that what was written reaches the disk and the chain, in a thread of its own: a disk that is slow must not
// delay the drill's heartbeat, and one that hangs must end the drill.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "brownout/events.hpp"
#include "chain_writer.hpp"

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

  // Both live longer than this object, and the chain is this thread's until stop().
  Result<> start(std::vector<const LineFile*> files, ChainWriter& chain);
  // Closes a segment at once, not only each second: a phase begins or ends.
  void close_segment();
  void stop();
  // kIo when a sync has failed, or one takes longer than kPatience.
  Result<> check() const;
  DiskFigures figures() const;

 private:
  void run(const std::stop_token& stop);
  void sync_all();
  void extend_chain();

  std::vector<const LineFile*> files_;
  ChainWriter* chain_ = nullptr;
  std::int64_t next_segment_ns_ = 0;
  std::atomic<bool> segment_due_{false};
  std::atomic<std::uint64_t> syncs_{0};
  std::atomic<std::int64_t> longest_ns_{0};
  std::atomic<std::int64_t> begun_ns_{0};  // of the one under way; 0: none
  std::atomic<int> error_{0};
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: ends before what it uses
};

}  // namespace brownout::events
