// SPDX-License-Identifier: MIT
// What waits for its departure, in order: O(1) where departures come in order, as with a constant delay, and
// O(log n) where they do not. All of its memory is there from the start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace brownout::kernel {

struct HeldPacket;

class LineQueue {
 public:
  explicit LineQueue(std::size_t limit);

  // False: no room.
  bool push(std::uint64_t departure_ns, HeldPacket* packet);
  std::optional<std::uint64_t> next_departure() const;
  // Not of an empty one. Equal departures leave in order of arrival.
  HeldPacket* pop();
  std::size_t packets() const { return (end_ - begin_) + heap_.size(); }

 private:
  struct Entry {
    std::uint64_t departure_ns, sequence;
    HeldPacket* packet;
  };
  static bool later(const Entry& a, const Entry& b);
  Entry& run(std::size_t position) const { return run_[position & mask_]; }
  bool run_is_next() const { return begin_ != end_ && (heap_.empty() || later(heap_.front(), run(begin_))); }

  std::size_t limit_, mask_;
  std::uint64_t sequence_ = 0;
  std::unique_ptr<Entry[]> run_;  // a ring of those that came in order
  std::size_t begin_ = 0, end_ = 0;
  std::vector<Entry> heap_;  // the others
};

}  // namespace brownout::kernel
