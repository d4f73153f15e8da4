// SPDX-License-Identifier: MIT
#include "event_ring.hpp"

#include <algorithm>
#include <utility>

namespace brownout::kernel {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kTick{20};
constexpr std::size_t kEventBatch = 65536;

}  // namespace

Result<EventRing> EventRing::open(int map_fd) {
  BROWNOUT_ASSIGN(auto reader, RingReader<brownout_event>::open(map_fd, "kernel events", kEventBatch));
  return EventRing{std::move(reader)};
}

Result<> EventRing::consume(milliseconds timeout, const Sink& sink) {
  const auto deadline = steady_clock::now() + timeout;
  reader_->begin(sink);
  for (;;) {
    BROWNOUT_TRY(reader_->consume());
    const auto now = steady_clock::now();
    if (reader_->handed_out() > 0 || now >= deadline) return {};
    const auto left = std::chrono::ceil<milliseconds>(deadline - now);
    BROWNOUT_ASSIGN(const bool waited, reader_->wait(std::min(left, kTick)));
    if (!waited || reader_->handed_out() > 0) return {};
  }
}

}  // namespace brownout::kernel
