// SPDX-License-Identifier: MIT
#include "app_watch.hpp"

#include <utility>

#include "brownout/capabilities.hpp"

namespace brownout::run {

AppWatch::AppWatch(std::unique_ptr<events::FingerprintSampler> sampler, Redactor redactor)
    : sampler_(std::move(sampler)), redactor_(std::move(redactor)), thread_([this] { watch(); }) {}

AppWatch::~AppWatch() {
  if (thread_.joinable()) stop();
}

void AppWatch::watch() {
  static_cast<void>(keep_only({CAP_DAC_READ_SEARCH}));  // the run directory may be of another user
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    auto snapshot = sampler_->look(phase_);
    if (snapshot) snapshot = events::redacted(redactor_, std::move(*snapshot));
    lock.lock();
    longest_gap_ns_ = sampler_->longest_gap_ns();
    if (snapshot) snapshots_.push_back(std::move(*snapshot));
    stopping_changed_.wait_for(lock, kInterval, [this] { return stopping_; });
  }
}

std::vector<events::Snapshot> AppWatch::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(snapshots_, {});
}

events::Snapshot AppWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopping_changed_.notify_all();
  thread_.join();
  auto last = events::redacted(redactor_, sampler_->last());
  longest_gap_ns_ = sampler_->longest_gap_ns();
  return last;
}

std::int64_t AppWatch::longest_gap_ns() {
  const std::lock_guard lock(mutex_);
  return longest_gap_ns_;
}

}  // namespace brownout::run
