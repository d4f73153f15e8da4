// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include <fmt/format.h>

#include "brownout/abi/brownout.h"

namespace brownout::events {

// The usual line of kernel/events.jsonl, read without making a tree of it first.
class EventReader {
 public:
  // False: not a line that append_line() writes of what was understood. decode() reads it, or says what is wrong.
  bool read(std::string_view line, brownout_event& into);

 private:
  fmt::memory_buffer again_;
};

}  // namespace brownout::events
