// SPDX-License-Identifier: MIT
// The consumer's end of the ring. Details do not wake us, failures do, so that waiting is sliced.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "brownout/abi/brownout.h"
#include "brownout/error.hpp"

struct ring_buffer;

namespace brownout::kernel {

class EventRing {
 public:
  using Sink = std::function<void(const brownout_event&)>;

  static Result<EventRing> open(int map_fd);
  EventRing(EventRing&&) noexcept;
  ~EventRing();

  // What is there, at most kBatch events; waits up to `timeout` for the first. A signal ends the wait.
  Result<> consume(std::chrono::milliseconds timeout, const Sink& sink);

 private:
  struct Reader;
  explicit EventRing(std::unique_ptr<Reader> reader);
  std::unique_ptr<Reader> reader_; // libbpf keeps a pointer to it
};

}  // namespace brownout::kernel
