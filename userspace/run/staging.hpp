// SPDX-License-Identifier: MIT
// Evidence in the making: a directory beside where the bundle will be, ours alone while we live.
#pragma once

#include <filesystem>
#include <utility>
#include <vector>

#include "brownout/fd.hpp"

namespace brownout::run {

class Staging {
 public:
  static Result<Staging> make(const std::filesystem::path& out_directory);
  // Of a process that ended without sealing it. kRefused while that lives, and where others may write: links there would
  // lead whoever mends it astray. kNotFound where there is none.
  static Result<Staging> take_over(const std::filesystem::path& directory);
  // Those of `out_directory` that nobody has sealed, by name; of processes that live, too.
  static Result<std::vector<std::filesystem::path>> unsealed_in(const std::filesystem::path& out_directory);

  Staging(Staging&& other) noexcept
      : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)), remove_(other.remove_) {}
  Staging& operator=(Staging&&) = delete;
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging();

  const std::filesystem::path& path() const { return path_; }
  // Whether it goes with this object: what was made here does, what was taken over does not, until it is said.
  void keep() { remove_ = false; }
  void discard() { remove_ = true; }

 private:
  Staging(std::filesystem::path path, UniqueFd lock, bool remove)
      : path_(std::move(path)), lock_(std::move(lock)), remove_(remove) {}
  std::filesystem::path path_;
  UniqueFd lock_;  // of the directory: the kernel lets go of it when the process ends
  bool remove_ = true;
};

}  // namespace brownout::run
