// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>

namespace brownout::findings {

// Which numbers were seen, as runs without a gap: those who hand in out of order leave a gap for a moment only.
class Sequences {
 public:
  void add(std::uint64_t number);
  std::uint64_t newest() const { return runs_.empty() ? 0 : runs_.rbegin()->second; }
  std::uint64_t count() const { return count_; } // each once, however often it came
  std::uint64_t missing() const { return newest() - count_; }

 private:
  std::map<std::uint64_t, std::uint64_t> runs_; // first and last
  std::uint64_t count_ = 0;
};

}  // namespace brownout::findings
