// SPDX-License-Identifier: MIT
#include "disk_sync.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <unistd.h>

#include "brownout/capabilities.hpp"
#include "brownout/clock.hpp"

namespace brownout::events {

namespace {

constexpr std::int64_t kSegment = 1'000'000'000;

}  // namespace

DiskSync::~DiskSync() { stop(); }

void DiskSync::stop() {
  thread_.request_stop();
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void DiskSync::close_segment() {
  segment_due_ = true;
  wake_.notify_all();
}

Result<> DiskSync::start(std::vector<const LineFile*> files, ChainWriter& chain) {
  files_ = std::move(files);
  chain_ = &chain;
  next_segment_ns_ = monotonic_ns() + kSegment;
  try {
    thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
  } catch (const std::system_error& error) {
    return fail_errno(ErrorCode::kKernel, error.code().value(), "start a thread to sync the evidence");
  }
  return {};
}

Result<> DiskSync::check() const {
  static constexpr auto kAdvice =
      "Is the disk of the output directory full, read-only or gone? Name another with --out.";
  if (const int error = error_.load(); error != 0)
    return fail_errno(ErrorCode::kIo, error, "sync the evidence", kAdvice);
  const std::int64_t begun = begun_ns_.load();
  if (begun == 0 || monotonic_ns() - begun <= std::chrono::nanoseconds{kPatience}.count()) return {};
  return fail(ErrorCode::kIo, "evidence has not reached the disk for 5 s", kAdvice);
}

DiskFigures DiskSync::figures() const { return {syncs_.load(), longest_ns_.load()}; }

void DiskSync::run(const std::stop_token& stop) {
  static_cast<void>(keep_only({}));
  while (!stop.stop_requested()) {
    sync_all();
    std::unique_lock lock{mutex_};
    wake_.wait_for(lock, stop, kInterval, [this] { return segment_due_.load(); });
  }
}

void DiskSync::sync_all() {
  const std::int64_t begun = monotonic_ns();
  begun_ns_ = begun;
  chain_->mark();
  for (const auto* file : files_)
    if (::fdatasync(file->fd()) != 0) error_ = errno;
  if (error_ == 0) extend_chain();
  begun_ns_ = 0;
  longest_ns_ = std::max(longest_ns_.load(), monotonic_ns() - begun);
  ++syncs_;
}

void DiskSync::extend_chain() {
  if (!segment_due_.exchange(false) && monotonic_ns() < next_segment_ns_) return;
  next_segment_ns_ = monotonic_ns() + kSegment;
  if (const auto closed = chain_->close_segment(); !closed)
    error_ = closed.error().errno_value != 0 ? closed.error().errno_value : EIO;
}

}  // namespace brownout::events
