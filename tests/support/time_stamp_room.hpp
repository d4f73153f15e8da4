// SPDX-License-Identifier: MIT
// time_stamp_authority.py while it lives.
#pragma once

#include <chrono>
#include <csignal>
#include <thread>

#include <spawn.h>
#include <sys/wait.h>

#include "signing_keys.hpp"

namespace brownout::test {

class TimeStampRoom {
 public:
  TimeStampRoom() {
    const std::string script = std::string{BROWNOUT_SOURCE_DIR} + "/tests/support/time_stamp_authority.py";
    std::string words[] = {"python3", script, path().string()};
    char* argv[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    if (::posix_spawnp(&pid_, "python3", nullptr, nullptr, argv, environ) != 0) throw std::runtime_error("python3");
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!std::filesystem::exists(path() / "port")) {
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("no time-stamp authority");
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
  }
  ~TimeStampRoom() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  TimeStampRoom(const TimeStampRoom&) = delete;
  TimeStampRoom& operator=(const TimeStampRoom&) = delete;

  const std::filesystem::path& path() const { return directory_.path(); }
  std::string url() const { return "http://127.0.0.1:" + slurp(path() / "port") + "/tsr"; }
  std::filesystem::path ca() const { return path() / "ca.pem"; }
  void be(std::string_view mood) const { spill(path() / "mood", mood); }
  // About a file, as it is got by hand.
  void stamp(const std::filesystem::path& file, const std::filesystem::path& into) const {
    shell_or_throw(fmt::format("openssl ts -query -data '{0}' -sha256 -cert -out '{1}/by_hand' 2>/dev/null && "
                               "python3 '{2}/tests/support/time_stamp_authority.py' '{1}' --answer '{1}/by_hand' '{3}'",
                               file.string(), path().string(), BROWNOUT_SOURCE_DIR, into.string()));
  }

 private:
  ScratchDirectory directory_;
  pid_t pid_ = 0;
};

}  // namespace brownout::test
