// SPDX-License-Identifier: MIT
// What outlives the process is written down before it is made, so that whoever comes next can undo it.
//
// One file per process, JSON lines: first the owner (pid, its start time, boot, network namespace), then one line an
// object. The directory is on tmpfs: no kernel object survives a boot, and so no journal needs to.
#pragma once

#include <filesystem>
#include <memory>

#include <nlohmann/json.hpp>

#include "brownout/fd.hpp"

namespace brownout::kernel {

class Journal {
 public:
  static Result<std::unique_ptr<Journal>> open(const std::filesystem::path& directory);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // On disk when it returns.
  Result<> note(const nlohmann::json& object);
  // Everything in it was undone: the file goes with this object. Otherwise it stays for `clean`.
  void settle() { settled_ = true; }
  const std::filesystem::path& path() const { return path_; }

 private:
  Journal(std::filesystem::path path, UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}
  std::filesystem::path path_;
  UniqueFd file_;
  bool settled_ = false;
};

// Of a process of this boot: distinguishes a reused pid. kNotFound when there is none.
Result<std::uint64_t> process_start_ticks(std::int32_t pid);

}  // namespace brownout::kernel
