// SPDX-License-Identifier: MIT
// Packets that wait for their departure: a heap, bounded in packets and in memory, on buffers that are used again.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "vnet_header.hpp"

namespace brownout::kernel {

// Buffers in powers of two, so that a full queue of small packets does not take the memory of large ones.
class PacketBuffer {
 public:
  std::byte* data() const { return bytes_.get(); }
  std::size_t capacity() const { return capacity_; }

 private:
  friend class PacketPool;
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t capacity_ = 0;
};

class PacketPool {
 public:
  static constexpr std::size_t kSmallest = 256, kLargest = std::size_t{1} << 17;
  static constexpr std::size_t kKeptBytes = std::size_t{16} << 20;  // idle buffers, per size

  // size at most kLargest.
  PacketBuffer take(std::size_t size);
  void give(PacketBuffer buffer);

 private:
  static std::size_t index(std::size_t capacity) { return static_cast<std::size_t>(std::countr_zero(capacity)); }
  std::array<std::vector<PacketBuffer>, 18> idle_;
};

struct HeldPacket {
  std::uint64_t departure_ns = 0;
  std::uint64_t arrival_ns = 0;
  std::uint64_t sequence = 0;  // of arrival: equal departures keep their order
  VnetHeader header{};
  PacketBuffer buffer;
  std::size_t length = 0;
};

class LineQueue {
 public:
  struct Limits {
    std::size_t packets = std::size_t{1} << 18;
    std::size_t bytes = std::size_t{256} << 20;  // of buffers
  };
  explicit LineQueue(Limits limits) : limits_(limits) {}

  // False: no room; the packet is not kept.
  bool push(std::uint64_t departure_ns, std::uint64_t arrival_ns, const VnetHeader& header,
            std::span<const std::byte> frame);
  std::optional<std::uint64_t> next_departure() const;
  HeldPacket pop();
  void recycle(HeldPacket packet) { pool_.give(std::move(packet.buffer)); }
  std::size_t packets() const { return heap_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  Limits limits_;
  PacketPool pool_;
  std::vector<HeldPacket> heap_;
  std::size_t bytes_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace brownout::kernel
