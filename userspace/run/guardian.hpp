// SPDX-License-Identifier: MIT
// The process that stays when brownout is killed, and undoes what could not die with it.
//
// It is a companion, made before the first kernel object exists. If it is killed too, the programs' deadline and heartbeat
// make what is left inert, and the next command undoes it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "brownout/companion.hpp"
#include "brownout/journal.hpp"
#include "brownout/kernel.hpp"

namespace brownout::run {

class Guardian {
 public:
  // Watches this process when it returns. `executable`: brownout itself.
  static Result<Guardian> start(const std::filesystem::path& journals = kernel::kJournalDirectory,
                                const std::filesystem::path& executable = "/proc/self/exe");
  bool alive() const;
  // Which of these are still there. An error when the guardian does not answer.
  Result<kernel::ObjectIds> still_there(const kernel::ObjectIds& objects) const;
  std::int32_t pid() const { return process_.pid; }

 private:
  Companion process_;
};

}  // namespace brownout::run
