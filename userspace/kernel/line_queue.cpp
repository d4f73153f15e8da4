// SPDX-License-Identifier: MIT
#include "line_queue.hpp"

#include <algorithm>
#include <bit>

namespace brownout::kernel {

LineQueue::LineQueue(std::size_t limit)
    : limit_(limit),
      mask_(std::bit_ceil(limit) - 1),
      run_(std::make_unique_for_overwrite<Entry[]>(std::bit_ceil(limit))) {
  heap_.reserve(limit);
}

bool LineQueue::later(const Entry& a, const Entry& b) {
  return a.departure_ns != b.departure_ns ? a.departure_ns > b.departure_ns : a.sequence > b.sequence;
}

bool LineQueue::push(std::uint64_t departure_ns, HeldPacket* packet) {
  if (packets() >= limit_) return false;
  const Entry entry{departure_ns, sequence_++, packet};
  if (begin_ == end_ || run(end_ - 1).departure_ns <= departure_ns) {
    run(end_++) = entry;
    return true;
  }
  heap_.push_back(entry);
  std::push_heap(heap_.begin(), heap_.end(), later);
  return true;
}

std::optional<std::uint64_t> LineQueue::next_departure() const {
  if (run_is_next()) return run(begin_).departure_ns;
  if (heap_.empty()) return std::nullopt;
  return heap_.front().departure_ns;
}

HeldPacket* LineQueue::pop() {
  if (run_is_next()) return run(begin_++).packet;
  std::pop_heap(heap_.begin(), heap_.end(), later);
  HeldPacket* const packet = heap_.back().packet;
  heap_.pop_back();
  return packet;
}

}  // namespace brownout::kernel
