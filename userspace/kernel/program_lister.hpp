// SPDX-License-Identifier: MIT
// `bpftool` in a process of its own: to open programs and links by their ids takes CAP_SYS_ADMIN (Linux 6.18,
// bpf_prog_get_fd_by_id), which the drill has given up by the time at which its own programs are there to be listed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "brownout/companion.hpp"
#include "host_commands.hpp"

namespace brownout::kernel {

class ProgramLister {
 public:
  ProgramLister(const std::string& host_device, const std::string& cgroup, const std::filesystem::path& executable);
  ~ProgramLister();
  ProgramLister(const ProgramLister&) = delete;
  ProgramLister& operator=(const ProgramLister&) = delete;

  // Waits for it. Where the process is not there or does not answer, each command has that for a problem.
  std::vector<Listing> list(std::chrono::milliseconds patience);
  // 0: it is not there.
  std::int32_t pid() const { return process_ ? process_->pid : 0; }

 private:
  std::vector<Listing> unavailable(const std::string& why) const;

  std::vector<Command> commands_;
  Result<Companion> process_;
};

}  // namespace brownout::kernel
