// SPDX-License-Identifier: MIT
#include "line_queue.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace brownout::kernel {
namespace {

bool later(const HeldPacket& a, const HeldPacket& b) {
  return std::pair{a.departure_ns, a.sequence} > std::pair{b.departure_ns, b.sequence};
}

std::size_t capacity_for(std::size_t size) { return std::bit_ceil(std::max(size, PacketPool::kSmallest)); }

}  // namespace

PacketBuffer PacketPool::take(std::size_t size) {
  const std::size_t capacity = capacity_for(size);
  auto& idle = idle_[index(capacity)];
  PacketBuffer buffer;
  if (!idle.empty()) {
    buffer = std::move(idle.back());
    idle.pop_back();
    return buffer;
  }
  buffer.bytes_ = std::make_unique_for_overwrite<std::byte[]>(capacity);
  buffer.capacity_ = capacity;
  return buffer;
}

void PacketPool::give(PacketBuffer buffer) {
  auto& idle = idle_[index(buffer.capacity())];
  if ((idle.size() + 1) * buffer.capacity() <= kKeptBytes) idle.push_back(std::move(buffer));
}

bool LineQueue::push(std::uint64_t departure_ns, std::uint64_t arrival_ns, const VnetHeader& header,
                     std::span<const std::byte> frame) {
  if (frame.size() > PacketPool::kLargest || heap_.size() >= limits_.packets ||
      bytes_ + capacity_for(frame.size()) > limits_.bytes)
    return false;
  HeldPacket packet{.departure_ns = departure_ns,
                    .arrival_ns = arrival_ns,
                    .sequence = sequence_++,
                    .header = header,
                    .buffer = pool_.take(frame.size()),
                    .length = frame.size()};
  std::memcpy(packet.buffer.data(), frame.data(), frame.size());
  bytes_ += packet.buffer.capacity();
  heap_.push_back(std::move(packet));
  std::push_heap(heap_.begin(), heap_.end(), later);
  return true;
}

std::optional<std::uint64_t> LineQueue::next_departure() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().departure_ns;
}

HeldPacket LineQueue::pop() {
  std::pop_heap(heap_.begin(), heap_.end(), later);
  HeldPacket packet = std::move(heap_.back());
  heap_.pop_back();
  bytes_ -= packet.buffer.capacity();
  return packet;
}

}  // namespace brownout::kernel
