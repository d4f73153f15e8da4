// SPDX-License-Identifier: MIT
#include "privileges.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace brownout::run {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 1s;
constexpr auto kBetweenLooks = 1ms;
// What threads of the delay line go back to SCHED_FIFO with.
constexpr CapabilitySet kOfLineThreads{CAP_SYS_NICE};

bool may_write_as_ourselves(const std::filesystem::path& directory) {
  const Unprivileged ourselves;
  return ::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
}

// One that was just made may not have come to giving up its own.
Result<> await_threads_within(CapabilitySet limit) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    BROWNOUT_ASSIGN(const auto permitted, permitted_in_any_thread());
    const auto more = permitted.without(limit);
    if (more.empty()) return {};
    if (std::chrono::steady_clock::now() > deadline)
      return fail(ErrorCode::kPermission, fmt::format("a thread of the drill still has {}", names(more)),
                  "Nothing was armed. brownout injects only after it has given up what it no longer needs.");
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

}  // namespace

Result<> begin_set_up() {
  BROWNOUT_ASSIGN(const auto effective, effective_capabilities());
  if (const auto missing = kernel::kSetUpNeeds.without(effective); !missing.empty())
    return fail(ErrorCode::kPermission, fmt::format("brownout run lacks {}", names(missing)),
                "Run it as root, or give them to the executable: docs/security.md has the setcap line. A container or "
                "service with no_new_privs does not hand them on.");
  BROWNOUT_TRY(forbid_new_privileges());
  return keep_only(kernel::kSetUpNeeds.with(kernel::kSetUpUses));
}

Result<CapabilitySet> end_set_up(const kernel::Means& means, const std::vector<std::filesystem::path>& directories) {
  auto kept = kernel::needed_while_injecting(means);
  if (!std::ranges::all_of(directories, may_write_as_ourselves)) kept = kept.with({CAP_DAC_OVERRIDE});
  BROWNOUT_TRY(keep_only(kept));
  BROWNOUT_TRY(await_threads_within(kept.with(kOfLineThreads)));
  return effective_capabilities();
}

Result<> begin_sealing() { return keep_only({CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE}); }

}  // namespace brownout::run
