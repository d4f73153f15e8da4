// SPDX-License-Identifier: MIT
#include "event_ring.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <bpf/libbpf.h>

#include "bpf_objects.hpp"

namespace brownout::kernel {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kTick{20};
// A flood must not keep the caller here for ever: it has a heartbeat to give.
constexpr std::size_t kBatch = 65536;

}  // namespace

struct EventRing::Reader {
  ring_buffer* ring = nullptr;
  const Sink* sink = nullptr;
  std::size_t handed_out = 0;

  ~Reader() { ring_buffer__free(ring); }

  static int receive(void* context, void* data, std::size_t size) {
    auto& self = *static_cast<Reader*>(context);
    if (size >= sizeof(brownout_event)) (*self.sink)(*static_cast<const brownout_event*>(data));
    return ++self.handed_out < kBatch ? 0 : -ECANCELED;
  }
};

EventRing::EventRing(std::unique_ptr<Reader> reader) : reader_(std::move(reader)) {}
EventRing::EventRing(EventRing&&) noexcept = default;
EventRing::~EventRing() = default;

Result<EventRing> EventRing::open(int map_fd) {
  auto reader = std::make_unique<Reader>();
  reader->ring = ring_buffer__new(map_fd, &Reader::receive, reader.get(), nullptr);
  if (reader->ring == nullptr) return fail_libbpf(0, "open the ring of kernel events");
  return EventRing{std::move(reader)};
}

Result<> EventRing::consume(milliseconds timeout, const Sink& sink) {
  const auto deadline = steady_clock::now() + timeout;
  reader_->sink = &sink;
  reader_->handed_out = 0;
  for (;;) {
    const int error = ring_buffer__consume(reader_->ring);
    if (error < 0 && error != -ECANCELED) return fail_errno(ErrorCode::kKernel, -error, "read the ring of kernel events");
    const auto now = steady_clock::now();
    if (reader_->handed_out > 0 || now >= deadline) return {};
    const auto left = std::chrono::ceil<milliseconds>(deadline - now);
    const int polled = ring_buffer__poll(reader_->ring, static_cast<int>(std::min(left, kTick).count()));
    if (polled == -EINTR) return {};
    if (polled < 0 && polled != -ECANCELED)
      return fail_errno(ErrorCode::kKernel, -polled, "wait for kernel events");
    if (reader_->handed_out > 0) return {};
  }
}

}  // namespace brownout::kernel
