// SPDX-License-Identifier: MIT
// A directory for a run log, which may come to be append-only.
#pragma once

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "../../userspace/run/run_log.hpp"
#include "bundle_fixture.hpp"

namespace brownout::test {

class LogRoom {
 public:
  ~LogRoom() { allow_changes(); }
  std::filesystem::path directory() const { return scratch_ / "brownout"; }
  std::filesystem::path file() const { return directory() / run::kRunLogFile; }
  // As its owner can.
  void allow_changes() const {
    const auto log = open_file(file(), O_RDONLY | O_NONBLOCK);  // a FIFO may stand there
    int flags = 0;
    if (!log || ::ioctl(log->get(), FS_IOC_GETFLAGS, &flags) != 0) return;
    flags &= ~FS_APPEND_FL;
    static_cast<void>(::ioctl(log->get(), FS_IOC_SETFLAGS, &flags));
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    std::istringstream text{slurp(file())};
    for (std::string line; std::getline(text, line);) all.push_back(line + "\n");
    return all;
  }
  void write(const std::vector<std::string>& lines) const {
    allow_changes();
    std::string text;
    for (const auto& line : lines) text += line;
    spill(file(), text);
  }

 private:
  ScratchDirectory scratch_;
};

inline run::RunBegun run_of(std::string target, std::string container_id = {}) {
  return {.target = std::move(target),
          .container_id = std::move(container_id),
          .drill = "demo",
          .drill_sha256 = std::string(64, 'd'),
          .plan_sha256 = std::string(64, 'e')};
}

inline nlohmann::json begin(const LogRoom& room, const run::RunBegun& run) {
  return value_of(value_of(run::RunLog::open(room.directory())).begin(run));
}

// What the timeline of that run has.
inline nlohmann::json entry_of(const LogRoom& room, const nlohmann::json& run) {
  return run::describe_run_log(room.file(), run);
}

}  // namespace brownout::test
