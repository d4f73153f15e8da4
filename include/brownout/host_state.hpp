// SPDX-License-Identifier: MIT
// What the system's own tools say of host and target before, during and after a drill: host/WHEN/ in a bundle.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "brownout/kernel.hpp"

namespace brownout::kernel {

struct Listing {
  std::string file;    // "ss.txt": one may hold several commands, each under a line "# COMMAND"
  std::string command; // as it was run, or the files that were read
  std::string text;
  std::string problem; // why there is nothing, or not all
  int exit_code = 0;
  std::int64_t t_mono_ns = 0, duration_ns = 0;
};

// Threads, one of them in the target's network namespace, that run tools while the drill goes on: nothing here waits but
// finish(). They list what is there before anything is attached with what the process may do; from then on they have no
// capability at all, and what they run has none either. What takes CAP_SYS_ADMIN, to list BPF programs and links, is asked of
// a process that does nothing else. The namespace lives at least as long as this object.
class HostState {
 public:
  static constexpr std::chrono::seconds kPatience{10}; // for all commands of one listing, where nothing else bounds it

  // `executable`: brownout itself.
  static Result<std::unique_ptr<HostState>> start(const target::Target& target, const Interface& interface,
                                                  const std::filesystem::path& executable = "/proc/self/exe");
  virtual ~HostState() = default;
  // Asks for a listing that is over within `patience`; not while one is being made.
  virtual void begin(std::chrono::milliseconds patience) = 0;
  // Waits for it; what it has until then. Listings come in the order of their commands.
  virtual std::vector<Listing> finish() = 0;
};

// What that process does: runs `bpftool` on the host, this device and this cgroup whenever it is asked to, until nobody can.
Result<> list_programs(const std::string& host_device, const std::string& cgroup);

}  // namespace brownout::kernel
