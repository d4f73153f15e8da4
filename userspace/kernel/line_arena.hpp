// SPDX-License-Identifier: MIT
// Memory for held packets: one reservation, in slabs that each serve one size at a time. Nothing is allocated while
// packets come and go; what was touched once stays until the end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "brownout/error.hpp"

namespace brownout::kernel {

class LineArena {
 public:
  static constexpr std::size_t kSmallest = 256, kLargest = std::size_t{1} << 16;
  static constexpr std::size_t kSlab = 4 * kLargest;

  // Room for at least `bytes` in buffers of any one size, and for some of every other size.
  static Result<LineArena> make(std::size_t bytes);

  // A buffer of the power of two at or above `size`, which is at most kLargest; null: no room. The one given back
  // last comes first: it is still in the CPU's cache.
  std::byte* take(std::size_t size);
  void give(std::byte* buffer);
  static std::size_t capacity_for(std::size_t size);

 private:
  static constexpr std::size_t kSizes = 9;  // 256, 512, ... 65536
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Slab {
    std::uint32_t size_index = 0;
    std::uint32_t used = 0;        // buffers that are out
    std::uint32_t untouched = 0;   // offset from which on nothing was ever out
    std::uint32_t idle = kNone;    // offset of the first buffer that came back; each holds the offset of the next
    std::uint32_t previous = kNone, next = kNone;  // among the slabs of its size with room
  };
  struct Unmap {
    std::size_t length = 0;
    void operator()(std::byte* base) const;
  };
  LineArena(std::unique_ptr<std::byte, Unmap> base, std::size_t slabs);

  static std::size_t index_of(std::size_t size);
  static std::uint32_t buffer_size(const Slab& slab) { return std::uint32_t{kSmallest} << slab.size_index; }
  static bool full(const Slab& slab) { return slab.idle == kNone && slab.untouched + buffer_size(slab) > kSlab; }
  void link(std::uint32_t index);
  void unlink(std::uint32_t index);

  std::unique_ptr<std::byte, Unmap> base_;
  std::vector<Slab> slabs_;
  std::vector<std::uint32_t> empty_;  // slabs of no size, the last used one on top
  std::array<std::uint32_t, kSizes> with_room_;
};

}  // namespace brownout::kernel
