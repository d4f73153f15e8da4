// SPDX-License-Identifier: MIT
// Do the faults, or what comes of them, go beyond what the drill allows? The caps are kept by the programs themselves;
// here it is seen that one was reached. Conditions of abort_when are looked at while the faults act.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "brownout/events.hpp"

namespace brownout::run {

class GuardWatch {
 public:
  GuardWatch(const plan::Plan& plan, const target::Target& target) : plan_(plan), target_(target) {}

  // kInvalidDrill when abort_when names a counter that this kernel does not have.
  Result<> check_names() const;
  // What grows is counted from here: the faults are about to act.
  Result<> begin(std::uint64_t calls_completed);
  // Every version of the fingerprint, from the first on.
  void see(const events::Snapshot& snapshot);

  struct Breach {
    events::Ending ending;
    std::string detail; // "caps.max_packets: ..." or "abort_when[0]: ...", with the figures
  };
  // `capped` is of the injector's counters.
  std::optional<Breach> look(const brownout_inject_counters& injected, std::uint64_t calls_completed);

 private:
  static constexpr std::int64_t kLookEvery = 250'000'000;
  static constexpr std::int64_t kMostBlind = 1'000'000'000;

  void read_counters();
  std::optional<std::string> breach_of(const drill::KernelCounterLimit& limit) const;
  std::optional<std::string> breach_of(const drill::ErrorCountLimit& limit) const;
  std::optional<std::string> breach_of(const drill::NoCompletedCall& silence) const;

  const plan::Plan& plan_;
  const target::Target& target_;
  std::map<std::string, std::uint64_t> counters_before_, counters_now_;  // by nstat's names
  std::optional<std::int64_t> error_count_;
  std::int64_t errors_grown_ = 0;  // since begin(), through counts that begin anew
  std::uint64_t calls_completed_ = 0;
  std::int64_t last_completed_ns_ = 0, last_read_ns_ = 0, next_look_ns_ = 0;
  std::string unreadable_;  // why the kernel's counters were not read at the last look; empty: they were
};

}  // namespace brownout::run
