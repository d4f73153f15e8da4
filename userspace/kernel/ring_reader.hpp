// SPDX-License-Identifier: MIT
// One kind of record out of one BPF ring, a batch at a time: who fills it faster than it is read must not keep the
// caller, who has a heartbeat to give.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <bpf/libbpf.h>

#include "bpf_objects.hpp"

namespace brownout::kernel {

template <typename Record>
class RingReader {
 public:
  using Sink = std::function<void(const Record&)>;

  // `what` is read, for errors: "kernel events".
  static Result<std::unique_ptr<RingReader>> open(int map_fd, std::string what, std::size_t batch) {
    std::unique_ptr<RingReader> reader{new RingReader{std::move(what), batch}};
    reader->ring_.reset(ring_buffer__new(map_fd, &RingReader::receive, reader.get(), nullptr));
    if (!reader->ring_) return fail_libbpf(0, "open the ring of " + reader->what_);
    return reader;
  }

  // From here on records go there, and are counted from 0.
  void begin(const Sink& sink) {
    sink_ = &sink;
    handed_out_ = 0;
  }
  Result<> consume() {
    const int error = ring_buffer__consume(ring_.get());
    if (error < 0 && error != -ECANCELED) return fail_errno(ErrorCode::kKernel, -error, "read the ring of " + what_);
    return {};
  }
  // False: a signal ended the wait.
  Result<bool> wait(std::chrono::milliseconds timeout) {
    const int error = ring_buffer__poll(ring_.get(), static_cast<int>(timeout.count()));
    if (error == -EINTR) return false;
    if (error < 0 && error != -ECANCELED) return fail_errno(ErrorCode::kKernel, -error, "wait for " + what_);
    return true;
  }
  std::size_t handed_out() const { return handed_out_; }

 private:
  struct Closer {
    void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
  };

  RingReader(std::string what, std::size_t batch) : what_(std::move(what)), batch_(batch) {}

  static int receive(void* context, void* data, std::size_t size) {
    auto& self = *static_cast<RingReader*>(context);
    if (size >= sizeof(Record)) (*self.sink_)(*static_cast<const Record*>(data));
    return ++self.handed_out_ < self.batch_ ? 0 : -ECANCELED;
  }

  std::string what_;
  std::size_t batch_;
  std::size_t handed_out_ = 0;
  const Sink* sink_ = nullptr;
  std::unique_ptr<ring_buffer, Closer> ring_; // keeps a pointer to this object, which therefore stays where it is
};

}  // namespace brownout::kernel
