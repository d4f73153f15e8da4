// SPDX-License-Identifier: MIT
// An array map in our memory: what a program writes is read here, and the other way round, without a system call.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "brownout/error.hpp"

namespace brownout::kernel {

// Of a map of type array with BPF_F_MMAPABLE (5.5) and values of T, whose size is a multiple of 8.
template <typename T>
class MappedArray {
  static_assert(sizeof(T) % 8 == 0, "the kernel rounds values up to 8 bytes");

 public:
  static Result<MappedArray> map(int map_fd, std::size_t elements, const std::string& what) {
    void* memory = mmap(nullptr, elements * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
    if (memory == MAP_FAILED) return fail_errno(ErrorCode::kKernel, "map " + what + " into memory");
    return MappedArray{{static_cast<T*>(memory), elements}};
  }
  MappedArray(MappedArray&& other) noexcept : elements_(std::exchange(other.elements_, {})) {}
  MappedArray& operator=(MappedArray&& other) noexcept {
    std::swap(elements_, other.elements_);
    return *this;
  }
  ~MappedArray() {
    if (!elements_.empty()) munmap(elements_.data(), elements_.size_bytes());
  }

  T& front() const { return elements_.front(); }
  std::span<T> all() const { return elements_; }

 private:
  explicit MappedArray(std::span<T> elements) : elements_(elements) {}
  std::span<T> elements_;
};

}  // namespace brownout::kernel
