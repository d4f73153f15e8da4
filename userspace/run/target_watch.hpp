// SPDX-License-Identifier: MIT
// Is the target still what it was when it was resolved? A fault must not outlive its target, nor hit what came after it
// under the same name, pid or interface.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "brownout/fd.hpp"
#include "brownout/kernel.hpp"

namespace brownout::run {

class TargetWatch {
 public:
  // kNotFound when the target has changed since it was resolved.
  static Result<TargetWatch> start(const target::Target& target, const kernel::Interface& interface);
  // What became of it: its process ended, another cgroup or network namespace, cgroup removed, empty or frozen, veth
  // gone. The end of the process is seen at once, the rest within kLookEvery. Sticks.
  const std::optional<std::string>& gone();

 private:
  static constexpr std::int64_t kLookEvery = 250'000'000;

  TargetWatch(const target::Target& target, const kernel::Interface& interface)
      : target_(target), interface_(interface) {}
  std::optional<std::string> look() const;
  bool process_ended() const;
  bool left_netns() const;

  target::Target target_;
  kernel::Interface interface_;
  // pidfd of its process. A drill that names a cgroup is about whichever processes are in it, and holds none.
  UniqueFd process_;
  // A file that each network namespace has its own of. Without being opened it holds no namespace, but its inode number is
  // given to no other; and to compare it takes no CAP_SYS_PTRACE, as /proc/PID/ns does.
  UniqueFd of_netns_;
  std::int64_t next_look_ns_ = 0;
  std::optional<std::string> gone_;
};

}  // namespace brownout::run
