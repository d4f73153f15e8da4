// SPDX-License-Identifier: MIT
// The consumer's end of the ring of payload (bpf/trace/payload.h). Nothing in it wakes anybody: it is emptied whenever
// the events are.
#pragma once

#include <functional>
#include <memory>

#include "brownout/abi/brownout.h"
#include "brownout/error.hpp"

struct ring_buffer;

namespace brownout::kernel {

class PayloadRing {
 public:
  using Sink = std::function<void(const brownout_payload&)>;

  static Result<PayloadRing> open(int map_fd);
  PayloadRing(PayloadRing&&) noexcept;
  ~PayloadRing();

  // What is there, at most kBatch records; never waits.
  Result<> consume(const Sink& sink);

 private:
  struct Reader;
  explicit PayloadRing(std::unique_ptr<Reader> reader);
  std::unique_ptr<Reader> reader_; // libbpf keeps a pointer to it
};

}  // namespace brownout::kernel
