// SPDX-License-Identifier: MIT
#include "stop_watch.hpp"

#include <csignal>
#include <cstring>
#include <utility>

#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace brownout::run {

Result<StopWatch> StopWatch::create(std::filesystem::path stop_file) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0)
    return fail_errno(ErrorCode::kKernel, error, "block SIGINT and SIGTERM");
  StopWatch watch;
  watch.signals_ = UniqueFd{::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)};
  if (!watch.signals_) return fail_errno(ErrorCode::kKernel, "signalfd");
  watch.stop_file_ = std::move(stop_file);
  return watch;
}

const std::optional<StopRequest>& StopWatch::check() {
  if (request_) return request_;
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    request_ = StopRequest{StopRequest::Source::kSignal,
                           fmt::format("SIG{} from pid {}", ::sigabbrev_np(static_cast<int>(info.ssi_signo)),
                                       info.ssi_pid)};
    return request_;
  }
  struct stat status{};
  if (!stop_file_.empty() && ::lstat(stop_file_.c_str(), &status) == 0)
    request_ = StopRequest{StopRequest::Source::kStopFile, stop_file_.string()};
  return request_;
}

}  // namespace brownout::run
