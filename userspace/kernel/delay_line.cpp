// SPDX-License-Identifier: MIT
#include "delay_line.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

#include <fmt/format.h>

namespace brownout::kernel {
namespace {

// Two threads keep two CPUs busy; more queues only where there are more.
std::size_t queues_for_this_machine() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency() / BROWNOUT_DIRECTIONS, 1, LineBeats::kMost / 2);
}

// Times do not add up: of several queues the worst is told.
void add(LineCounters& sum, const LineCounters& one) {
  sum.late_p50_us = std::max(sum.late_p50_us, one.late_p50_us);
  sum.hold_p50_us = std::max(sum.hold_p50_us, one.hold_p50_us);
  sum.late_p99_us = std::max(sum.late_p99_us, one.late_p99_us);
  sum.late_max_us = std::max(sum.late_max_us, one.late_max_us);
  sum.received += one.received;
  sum.reinjected += one.reinjected;
  sum.held += one.held;
  sum.held_bytes += one.held_bytes;
  sum.overflow += one.overflow;
  sum.expired += one.expired;
  sum.write_errors += one.write_errors;
  sum.foreign += one.foreign;
}

}  // namespace

Result<std::unique_ptr<DelayLine>> DelayLine::make(const Config& config) {
  const std::size_t queues =
      config.queues == 0 ? queues_for_this_machine() : std::min(config.queues, LineBeats::kMost);
  BROWNOUT_ASSIGN(TapDevice device, TapDevice::make(queues));
  return std::unique_ptr<DelayLine>{new DelayLine{config, std::move(device)}};
}

Result<> DelayLine::start() {
  const std::size_t queues = device_.queues_per_direction();
  const LineThread::Limits limits{.packets = config_.limits.packets / queues, .bytes = config_.limits.bytes / queues};
  for (std::size_t direction = 0; direction < BROWNOUT_DIRECTIONS; ++direction)
    beats_[direction] = std::make_unique<LineBeats>(*config_.control, direction, queues);
  for (std::size_t i = 0; i < BROWNOUT_DIRECTIONS * queues; ++i) {
    const std::size_t direction = i % BROWNOUT_DIRECTIONS, queue = i / BROWNOUT_DIRECTIONS;
    threads_.push_back(std::make_unique<LineThread>(LineThread::Config{.tap_queue = device_.queue(direction, queue),
                                                                       .direction = direction,
                                                                       .queue = queue,
                                                                       .queues = queues,
                                                                       .magic = config_.magic,
                                                                       .control = config_.control,
                                                                       .beats = beats_[direction].get(),
                                                                       .heartbeat_limit = config_.heartbeat_limit,
                                                                       .limits = limits,
                                                                       .realtime = config_.realtime}));
    BROWNOUT_TRY(threads_.back()->start());
  }
  return {};
}

void DelayLine::wake() {
  for (const auto& thread : threads_) thread->wake();
}

void DelayLine::stop() {
  if (stopped_) return;
  stopped_ = true;
  for (const auto& thread : threads_) thread->request_stop();
  for (const auto& thread : threads_) thread->join();
  if (const auto drops = device_counters(0, device_.name())) device_drops_at_stop_ = drops->tx_dropped;
  device_.close();
}

std::uint64_t DelayLine::held() const {
  std::uint64_t held = 0;
  for (const auto& thread : threads_) held += thread->counters().held;
  return held;
}

std::array<LineCounters, BROWNOUT_DIRECTIONS> DelayLine::counters() const {
  std::array<LineCounters, BROWNOUT_DIRECTIONS> all{};
  for (std::size_t i = 0; i < threads_.size(); ++i) add(all[i % BROWNOUT_DIRECTIONS], threads_[i]->counters());
  const auto device = stopped_ ? Result<DeviceCounters>{} : device_counters(0, device_.name());
  all[0].device_drops = device && !stopped_ ? device->tx_dropped : device_drops_at_stop_;
  return all;
}

nlohmann::json DelayLine::description() const {
  nlohmann::json scheduling = nlohmann::json::array();
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    const auto& thread = threads_[i];
    const int refusal = thread->realtime_refusal();
    scheduling.push_back({{"direction", i % BROWNOUT_DIRECTIONS == BROWNOUT_EGRESS ? "egress" : "ingress"},
                          {"received", thread->counters().received},
                          {"policy", config_.realtime && refusal == 0 ? "SCHED_FIFO" : "SCHED_OTHER"},
                          {"refused", refusal == 0 ? "" : std::strerror(refusal)},
                          {"yields", thread->realtime_yields()}});
  }
  return {{"device", device_.name()},
          {"ifindex", device_.ifindex()},
          {"udp_segmentation", device_.udp_segmentation()},
          {"queues_per_direction", device_.queues_per_direction()},
          {"limit_packets", config_.limits.packets},
          {"limit_bytes", config_.limits.bytes},
          {"scheduling", scheduling}};
}

}  // namespace brownout::kernel
