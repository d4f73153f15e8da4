// SPDX-License-Identifier: MIT
// Kernel events as lines for a person, as they happen. All of them are in the evidence; here a burst is counted, not told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "brownout/events.hpp"

namespace brownout::run {

// `realtime_offset_ns` makes UTC of the event's time; `name`: what the peer is called, may be empty.
std::string event_text(const brownout_event& event, std::string_view name, std::int64_t realtime_offset_ns);

// So many in each second, and no more.
class EventBudget {
 public:
  static constexpr std::uint64_t kMost = 200;
  bool admits(std::int64_t now_ns);
  // Once the second is over: "N more events in this second".
  std::optional<std::string> left_out(std::int64_t now_ns);

 private:
  std::int64_t second_ends_ns_ = 0;
  std::uint64_t told_ = 0, left_out_ = 0;
};

}  // namespace brownout::run
