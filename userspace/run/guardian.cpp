// SPDX-License-Identifier: MIT
#include "guardian.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "brownout/pidfd.hpp"
#include "brownout/privileges.hpp"
#include "brownout/run.hpp"
#include "residue.hpp"

namespace brownout::run {
namespace {

using namespace std::chrono_literals;

// A device that just went, a netlink socket without memory: tried again, then left to `brownout clean`.
constexpr int kAttempts = 10;
constexpr auto kBetweenAttempts = 500ms;

// On stdout is the other end of the socket.
void answer_until_end(const UniqueFd& process) {
  std::array<pollfd, 2> ends{{{process.get(), POLLIN, 0}, {STDOUT_FILENO, POLLIN, 0}}};
  while ((ends[0].revents & POLLIN) == 0) {
    if (::poll(ends.data(), ends.size(), -1) < 0 && errno != EINTR) return;
    if (ends[1].revents != 0 && !answer_still_there(STDOUT_FILENO)) ends[1] = {-1, 0, 0};
  }
}

// The last one to be killed when memory is short: it is small, and it is what puts things right.
void ask_to_be_spared() {
  if (const auto file = open_file("/proc/self/oom_score_adj", O_WRONLY))
    static_cast<void>(write_all(file->get(), "-999"));
}

}  // namespace

Result<Guardian> Guardian::start(const std::filesystem::path& journals, const std::filesystem::path& executable) {
  BROWNOUT_ASSIGN(const auto started, kernel::process_start_ticks(::getpid()));
  Guardian guardian;
  BROWNOUT_ASSIGN(guardian.process_, start_companion("the guardian", executable,
                                                     {"brownout", "guard", std::to_string(::getpid()),
                                                      std::to_string(started), journals.string()}));
  return guardian;
}

bool Guardian::alive() const { return process_.process && !has_ended(process_.process, 0); }

Result<kernel::ObjectIds> Guardian::still_there(const kernel::ObjectIds& objects) const {
  return ask_still_there(process_.socket.get(), objects);
}

Result<> guard(std::int32_t pid, std::uint64_t start_ticks, const std::filesystem::path& journals) {
  ::prctl(PR_SET_NAME, "brownout-guard");
  ask_to_be_spared();
  BROWNOUT_TRY(forbid_new_privileges());
  BROWNOUT_TRY(keep_only(kernel::kGuardianNeeds));
  // Opened first, compared then: whoever has the pid now is not mistaken for the one that had it.
  const UniqueFd process = open_pidfd(pid);
  if (!process && errno != ESRCH) return fail_errno(ErrorCode::kKernel, fmt::format("watch process {}", pid));
  BROWNOUT_ASSIGN(const bool alive, kernel::is_alive(pid, start_ticks));
  say_ready();
  if (process && alive) answer_until_end(process);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto report = kernel::clean(journals, "guardian");
    if (report && report->failed.empty()) break;
    std::this_thread::sleep_for(kBetweenAttempts);
  }
  return {};
}

}  // namespace brownout::run
