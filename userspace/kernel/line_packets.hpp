// SPDX-License-Identifier: MIT
// Packets in memory, from one system call to another: read in place, written from there, never copied in between but
// where that saves memory.
#pragma once

#include <array>
#include <span>

#include <sys/uio.h>

#include "line_arena.hpp"
#include "line_frame.hpp"

namespace brownout::kernel {

// Lies at the start of its own first buffer; the packet follows it, and goes on in the others.
struct HeldPacket {
  std::uint64_t departure_ns, arrival_ns;
  std::byte* middle;    // null: it fits into the first
  std::byte* end;       // null: it fits into the first two
  std::uint32_t length; // on the wire of the TAP: its header and the frame
  std::uint32_t taken;  // capacity of its buffers
};

class LinePackets {
 public:
  static constexpr std::size_t kFirst = LineArena::kSmallest, kMiddle = 2048, kEnd = LineArena::kLargest;
  // Of the packet, in the first buffer.
  static constexpr std::size_t kInFirst = kFirst - sizeof(HeldPacket);
  static constexpr std::size_t kLargestRead = kInFirst + kMiddle + kEnd;
  using Parts = std::array<iovec, 3>;

  static Result<LinePackets> make(std::size_t bytes);

  // Where the next packet may be read to; the same until one is kept.
  Parts& room() { return room_; }
  enum class Kept { kYes, kForeign, kNoMemory };
  // `length` bytes have been read there. Not kept: the room is as before.
  Kept keep(std::size_t length, std::uint32_t magic, std::uint16_t direction, HeldPacket*& packet);
  // What to write; how many parts.
  static std::size_t parts(const HeldPacket& packet, Parts& parts);
  void release(HeldPacket* packet);
  std::size_t bytes() const { return bytes_; }

 private:
  struct Taken {
    std::byte *first = nullptr, *middle = nullptr, *end = nullptr;
  };
  LinePackets(LineArena arena, std::size_t limit) : arena_(std::move(arena)), limit_(limit) {}

  bool take_spare();
  bool take(std::size_t length, Taken& taken);
  void give(const Taken& taken);
  void set_room();

  LineArena arena_;
  std::size_t limit_, bytes_ = 0;
  Taken spare_;
  Parts room_{};
};

}  // namespace brownout::kernel
