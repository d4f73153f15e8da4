// SPDX-License-Identifier: MIT
// What a person watches: one live line on a terminal, plain timestamped lines elsewhere. Always on stderr.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace brownout::run {

class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Something happened: stays on the screen.
  void note(std::string_view text);
  // How it stands: repainted at most 5 times a second on a terminal, one line every 5 s elsewhere.
  void status(std::string_view text);

 private:
  void erase();

  bool terminal_;
  std::int64_t next_status_ns_ = 0;
  bool painted_ = false;
};

// "8 m", "42 s": what is left, for a person.
std::string human_duration(std::int64_t ns);

}  // namespace brownout::run
