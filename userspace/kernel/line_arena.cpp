// SPDX-License-Identifier: MIT
#include "line_arena.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include <sys/mman.h>

namespace brownout::kernel {

void LineArena::Unmap::operator()(std::byte* base) const { ::munmap(base, length); }

Result<LineArena> LineArena::make(std::size_t bytes) {
  const std::size_t slabs = bytes / kSlab + 1 + kSizes;
  const std::size_t length = slabs * kSlab;
  void* base = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return fail_errno(ErrorCode::kKernel, "reserve memory for held packets");
  return LineArena{{static_cast<std::byte*>(base), Unmap{length}}, slabs};
}

LineArena::LineArena(std::unique_ptr<std::byte, Unmap> base, std::size_t slabs)
    : base_(std::move(base)), slabs_(slabs) {
  with_room_.fill(kNone);
  for (std::size_t i = slabs; i-- > 0;) empty_.push_back(static_cast<std::uint32_t>(i));
}

std::size_t LineArena::capacity_for(std::size_t size) { return std::bit_ceil(std::max(size, kSmallest)); }

std::size_t LineArena::index_of(std::size_t size) {
  return static_cast<std::size_t>(std::countr_zero(capacity_for(size)) - std::countr_zero(kSmallest));
}

void LineArena::link(std::uint32_t index) {
  Slab& slab = slabs_[index];
  std::uint32_t& first = with_room_[slab.size_index];
  slab.previous = kNone;
  slab.next = first;
  if (first != kNone) slabs_[first].previous = index;
  first = index;
}

void LineArena::unlink(std::uint32_t index) {
  const Slab& slab = slabs_[index];
  if (slab.next != kNone) slabs_[slab.next].previous = slab.previous;
  if (slab.previous != kNone)
    slabs_[slab.previous].next = slab.next;
  else
    with_room_[slab.size_index] = slab.next;
}

std::byte* LineArena::take(std::size_t size) {
  const std::size_t size_index = index_of(size);
  std::uint32_t index = with_room_[size_index];
  if (index == kNone) {
    if (empty_.empty()) return nullptr;
    index = empty_.back();
    empty_.pop_back();
    slabs_[index] = {.size_index = static_cast<std::uint32_t>(size_index)};
    link(index);
  }
  Slab& slab = slabs_[index];
  std::byte* const start = base_.get() + index * kSlab;
  std::uint32_t offset = slab.idle;
  if (offset != kNone) {
    std::memcpy(&slab.idle, start + offset, sizeof slab.idle);
  } else {
    offset = slab.untouched;
    slab.untouched += buffer_size(slab);
  }
  ++slab.used;
  if (full(slab)) unlink(index);
  return start + offset;
}

void LineArena::give(std::byte* buffer) {
  const auto offset = static_cast<std::size_t>(buffer - base_.get());
  const auto index = static_cast<std::uint32_t>(offset / kSlab);
  Slab& slab = slabs_[index];
  const bool was_full = full(slab);
  std::memcpy(buffer, &slab.idle, sizeof slab.idle);
  slab.idle = static_cast<std::uint32_t>(offset % kSlab);
  if (was_full) link(index);
  if (--slab.used > 0) return;
  unlink(index);  // may serve another size now
  empty_.push_back(index);
}

}  // namespace brownout::kernel
