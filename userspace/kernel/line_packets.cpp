// SPDX-License-Identifier: MIT
#include "line_packets.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace brownout::kernel {
namespace {

constexpr std::size_t kHeaders = sizeof(VnetHeader) + BROWNOUT_LINE_HEADER_LENGTH;
// A rest up to here is copied into a buffer of its size; above it keeps the large one.
constexpr std::size_t kCopied = std::size_t{16} << 10;

std::size_t rest_of(std::size_t length) {
  return length - std::min(length, LinePackets::kInFirst + LinePackets::kMiddle);
}

std::size_t end_capacity(std::size_t rest) {
  return rest > kCopied ? LinePackets::kEnd : LineArena::capacity_for(rest);
}

std::byte* packet_start(HeldPacket& packet) { return reinterpret_cast<std::byte*>(&packet) + sizeof(HeldPacket); }

}  // namespace

Result<LinePackets> LinePackets::make(std::size_t bytes) {
  BROWNOUT_ASSIGN(LineArena arena, LineArena::make(bytes));
  LinePackets packets{std::move(arena), bytes};
  if (!packets.take_spare()) return fail(ErrorCode::kKernel, "no memory for a single packet");
  packets.set_room();
  return packets;
}

bool LinePackets::take_spare() {
  spare_ = {.first = arena_.take(kFirst), .middle = arena_.take(kMiddle), .end = arena_.take(kEnd)};
  return spare_.first != nullptr && spare_.middle != nullptr && spare_.end != nullptr;
}

void LinePackets::set_room() {
  room_ = {{{spare_.first + sizeof(HeldPacket), kInFirst}, {spare_.middle, kMiddle}, {spare_.end, kEnd}}};
}

// Buffers for a packet of that length in the place of the spare ones; all or none.
bool LinePackets::take(std::size_t length, Taken& taken) {
  const std::size_t rest = rest_of(length);
  taken.first = arena_.take(kFirst);
  if (length > kInFirst) taken.middle = arena_.take(kMiddle);
  if (rest > 0) taken.end = arena_.take(end_capacity(rest));
  if (taken.first && (taken.middle || length <= kInFirst) && (taken.end || rest == 0)) return true;
  give(taken);
  return false;
}

void LinePackets::give(const Taken& taken) {
  for (std::byte* buffer : {taken.first, taken.middle, taken.end})
    if (buffer) arena_.give(buffer);
}

LinePackets::Kept LinePackets::keep(std::size_t length, std::uint32_t magic, std::uint16_t direction,
                                    HeldPacket*& packet) {
  if (length < kHeaders) return Kept::kForeign;
  std::byte* const start = spare_.first + sizeof(HeldPacket);
  VnetHeader header;
  std::memcpy(&header, start, sizeof header);
  const std::span whole{start + sizeof header, std::min(length, kInFirst) - sizeof header};
  const auto frame = unwrap(header, whole, magic, direction);
  if (!frame) return Kept::kForeign;

  const std::size_t rest = rest_of(length);
  const std::size_t capacity = kFirst + (length > kInFirst ? kMiddle : 0) + (rest > 0 ? end_capacity(rest) : 0);
  Taken fresh;
  if (bytes_ + capacity > limit_ || !take(length, fresh)) return Kept::kNoMemory;
  bytes_ += capacity;
  const std::byte* const moved = spare_.end;
  packet = new (spare_.first) HeldPacket{.departure_ns = frame->line.departure_ns,
                                         .arrival_ns = frame->line.arrival_ns,
                                         .middle = fresh.middle ? std::exchange(spare_.middle, fresh.middle) : nullptr,
                                         .end = nullptr,
                                         .length = static_cast<std::uint32_t>(length - BROWNOUT_LINE_HEADER_LENGTH),
                                         .taken = static_cast<std::uint32_t>(capacity)};
  spare_.first = fresh.first;
  if (rest > kCopied) {
    packet->end = std::exchange(spare_.end, fresh.end);
  } else if (rest > 0) {
    packet->end = fresh.end;
    std::memcpy(fresh.end, moved, rest);
  }
  // The TAP's header moves over ours, to right in front of the frame.
  std::memcpy(start + BROWNOUT_LINE_HEADER_LENGTH, &frame->header, sizeof frame->header);
  set_room();
  return Kept::kYes;
}

std::size_t LinePackets::parts(const HeldPacket& packet, Parts& parts) {
  auto* const start = packet_start(const_cast<HeldPacket&>(packet)) + BROWNOUT_LINE_HEADER_LENGTH;
  std::size_t left = packet.length, count = 0;
  const auto add = [&](std::byte* from, std::size_t room) {
    parts[count++] = {from, std::min(left, room)};
    left -= std::min(left, room);
  };
  add(start, kInFirst - BROWNOUT_LINE_HEADER_LENGTH);
  if (left > 0) add(packet.middle, kMiddle);
  if (left > 0) add(packet.end, kEnd);
  return count;
}

void LinePackets::release(HeldPacket* packet) {
  bytes_ -= packet->taken;
  give({.first = reinterpret_cast<std::byte*>(packet), .middle = packet->middle, .end = packet->end});
}

}  // namespace brownout::kernel
