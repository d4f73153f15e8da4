// SPDX-License-Identifier: MIT
// One drill on a target at a time: each of two would take the other's faults for the network's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "brownout/fd.hpp"
#include "brownout/journal.hpp"
#include "brownout/target.hpp"

namespace brownout::run {

// Held until it is destroyed or the process ends, however that comes: the kernel lets go of it. The file is gone at a normal
// end; after SIGKILL it stays, holds nobody up, and `clean` removes it.
class TargetLock {
 public:
  static std::filesystem::path path_for(const target::Target& target,
                                        const std::filesystem::path& directory = kernel::kJournalDirectory);
  // kRefused, with the name of the drill that runs, where one holds the network namespace.
  static Result<TargetLock> take(const target::Target& target, const std::string& drill,
                                 const std::filesystem::path& directory = kernel::kJournalDirectory);
  // The refusal that take() would give now, without taking it.
  static Result<> look(const target::Target& target, const std::filesystem::path& directory = kernel::kJournalDirectory);
  TargetLock(TargetLock&&) noexcept = default;
  TargetLock& operator=(TargetLock&&) = delete;
  TargetLock(const TargetLock&) = delete;
  TargetLock& operator=(const TargetLock&) = delete;
  ~TargetLock();

 private:
  TargetLock(std::filesystem::path path, UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}
  std::filesystem::path path_;
  UniqueFd file_;
};

}  // namespace brownout::run
