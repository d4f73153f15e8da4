// SPDX-License-Identifier: MIT
// Stage 4. What outlives the process is written down before it is made, so that whoever comes next can undo it: the
// guardian, at once; `brownout clean` or the next command, later.
//
// One file per process, JSON lines: first the owner (pid, its start time, network namespace), then one line an object.
// The directory is on tmpfs: no kernel object survives a boot, and so no journal needs to.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "brownout/fd.hpp"

namespace brownout::kernel {

inline constexpr char kJournalDirectory[] = "/run/brownout";
inline constexpr char kCleanLock[] = "clean.lock";  // in it: one cleaner at a time

class Journal {
 public:
  static Result<std::unique_ptr<Journal>> open(const std::filesystem::path& directory = kJournalDirectory);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // An object of the kernel that is about to be made. On disk when it returns.
  Result<> note(const nlohmann::json& object);
  // A file that is in nobody's way once we are dead, but should be known then: a lock, evidence.
  Result<> mention(const nlohmann::json& file);
  // Everything noted so far was undone: the journal goes with this object. Otherwise it stays for `clean`.
  void settle() { settled_ = true; }
  const std::filesystem::path& path() const { return path_; }

 private:
  Journal(std::filesystem::path path, UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}
  std::filesystem::path path_;
  UniqueFd file_;
  bool settled_ = true;
};

// Since boot, in clock ticks: with it a reused pid is told from the process that had it. kNotFound when there is no such
// process.
Result<std::uint64_t> process_start_ticks(std::int32_t pid);
// False for another process of the same pid, and for one that has ended and was not waited for.
Result<bool> is_alive(std::int32_t pid, std::uint64_t start_ticks);

struct CleanReport {
  std::vector<std::string> undone;     // what a dead brownout had left, by name
  std::vector<std::string> left_alone; // what is not provably ours any more, or of a process that lives, and why
  std::vector<std::string> failed;     // to be tried again: the journal stays
  std::vector<std::string> unsealed;   // directories of evidence that dead processes did not seal
};
// Undoes what journals of dead processes name and what is still provably ours (index, handle, program id and tag). What
// was done is written beside the evidence, if there is any, for whoever seals it: kUndoneFile, JSON lines of t_mono_ns,
// `by`, `what`, `object`, `result`.
inline constexpr char kUndoneFile[] = "undone.jsonl";
Result<CleanReport> clean(const std::filesystem::path& journals = kJournalDirectory, const std::string& by = "clean");

}  // namespace brownout::kernel
