// SPDX-License-Identifier: MIT
#include "payload_ring.hpp"

#include <cerrno>
#include <utility>

#include <bpf/libbpf.h>

#include "bpf_objects.hpp"

namespace brownout::kernel {

namespace {

// More than the ring holds is never there at once; who fills it faster than it is read must not keep the caller here.
constexpr std::size_t kBatch = 4096;

}  // namespace

struct PayloadRing::Reader {
  ring_buffer* ring = nullptr;
  const Sink* sink = nullptr;
  std::size_t handed_out = 0;

  ~Reader() { ring_buffer__free(ring); }

  static int receive(void* context, void* data, std::size_t size) {
    auto& self = *static_cast<Reader*>(context);
    if (size >= sizeof(brownout_payload)) (*self.sink)(*static_cast<const brownout_payload*>(data));
    return ++self.handed_out < kBatch ? 0 : -ECANCELED;
  }
};

PayloadRing::PayloadRing(std::unique_ptr<Reader> reader) : reader_(std::move(reader)) {}
PayloadRing::PayloadRing(PayloadRing&&) noexcept = default;
PayloadRing::~PayloadRing() = default;

Result<PayloadRing> PayloadRing::open(int map_fd) {
  auto reader = std::make_unique<Reader>();
  reader->ring = ring_buffer__new(map_fd, &Reader::receive, reader.get(), nullptr);
  if (reader->ring == nullptr) return fail_libbpf(0, "open the ring of payload");
  return PayloadRing{std::move(reader)};
}

Result<> PayloadRing::consume(const Sink& sink) {
  reader_->sink = &sink;
  reader_->handed_out = 0;
  const int error = ring_buffer__consume(reader_->ring);
  if (error < 0 && error != -ECANCELED) return fail_errno(ErrorCode::kKernel, -error, "read the ring of payload");
  return {};
}

}  // namespace brownout::kernel
