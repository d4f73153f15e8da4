// SPDX-License-Identifier: MIT
#include "delay_line.hpp"

#include <cstring>

#include <fmt/format.h>

namespace brownout::kernel {

Result<std::unique_ptr<DelayLine>> DelayLine::make(const Config& config) {
  BROWNOUT_ASSIGN(TapDevice device, TapDevice::make());
  return std::unique_ptr<DelayLine>{new DelayLine{config, std::move(device)}};
}

Result<> DelayLine::start() {
  for (std::size_t direction = 0; direction < BROWNOUT_DIRECTIONS; ++direction) {
    threads_[direction] = std::make_unique<LineThread>(LineThread::Config{.tap_queue = device_.queue(direction),
                                                                          .direction = direction,
                                                                          .magic = config_.magic,
                                                                          .control = config_.control,
                                                                          .heartbeat_limit = config_.heartbeat_limit,
                                                                          .limits = config_.limits,
                                                                          .realtime = config_.realtime});
    BROWNOUT_TRY(threads_[direction]->start());
  }
  return {};
}

void DelayLine::wake() {
  for (const auto& thread : threads_)
    if (thread) thread->wake();
}

void DelayLine::stop() {
  if (stopped_) return;
  stopped_ = true;
  for (const auto& thread : threads_)
    if (thread) thread->request_stop();
  for (const auto& thread : threads_)
    if (thread) thread->join();
  if (const auto drops = device_counters(0, device_.name())) device_drops_at_stop_ = drops->tx_dropped;
  device_.close();
}

std::uint64_t DelayLine::held() const {
  std::uint64_t held = 0;
  for (const auto& thread : threads_)
    if (thread) held += thread->counters().held;
  return held;
}

std::array<LineCounters, BROWNOUT_DIRECTIONS> DelayLine::counters() const {
  std::array<LineCounters, BROWNOUT_DIRECTIONS> all{};
  for (std::size_t direction = 0; direction < BROWNOUT_DIRECTIONS; ++direction)
    if (threads_[direction]) all[direction] = threads_[direction]->counters();
  const auto device = stopped_ ? Result<DeviceCounters>{} : device_counters(0, device_.name());
  all[0].device_drops = device && !stopped_ ? device->tx_dropped : device_drops_at_stop_;
  return all;
}

nlohmann::json DelayLine::description() const {
  nlohmann::json scheduling = nlohmann::json::array();
  for (const auto& thread : threads_) {
    if (!thread) continue;
    const int refusal = thread->realtime_refusal();
    scheduling.push_back({{"policy", config_.realtime && refusal == 0 ? "SCHED_FIFO" : "SCHED_OTHER"},
                          {"refused", refusal == 0 ? "" : std::strerror(refusal)},
                          {"yields", thread->realtime_yields()}});
  }
  return {{"device", device_.name()},
          {"ifindex", device_.ifindex()},
          {"udp_segmentation", device_.udp_segmentation()},
          {"limit_packets", config_.limits.packets},
          {"limit_bytes", config_.limits.bytes},
          {"scheduling", scheduling}};
}

}  // namespace brownout::kernel
