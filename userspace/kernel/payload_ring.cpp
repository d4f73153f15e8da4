// SPDX-License-Identifier: MIT
#include "payload_ring.hpp"

#include <utility>

namespace brownout::kernel {

namespace {

constexpr std::size_t kBatch = 4096; // more than the ring holds

}  // namespace

Result<PayloadRing> PayloadRing::open(int map_fd) {
  BROWNOUT_ASSIGN(auto reader, RingReader<brownout_payload>::open(map_fd, "payload", kBatch));
  return PayloadRing{std::move(reader)};
}

Result<> PayloadRing::consume(const Sink& sink) {
  reader_->begin(sink);
  return reader_->consume();
}

}  // namespace brownout::kernel
