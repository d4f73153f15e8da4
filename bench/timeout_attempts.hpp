// SPDX-License-Identifier: MIT
// Runs clients in situations, several at a time, and gathers what the tracer says of each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "timeout_room.hpp"
#include "timeout_situations.hpp"

namespace brownout::bench {

struct Attempt {
  const Situation* situation = nullptr;
  const TimeoutClient* client = nullptr;
  std::string address;    // of the server
  std::uint16_t port = 0; // no two attempts have the same

  std::uint32_t pid = 0;
  std::int64_t begun_ns = 0, ended_ns = 0;
  int exit_code = -1;
  std::string said; // the client's own words

  // Of its destination, or of its process while that ran: events of a wrong owner or destination are in here, too.
  std::vector<brownout_event> events;
};

// `tries` of each situation with each client that it applies to, mixed.
std::vector<Attempt> attempts(const std::vector<TimeoutClient>& clients, int tries);

struct AttemptOptions {
  bool waits = false;
  std::size_t at_once = 8;
};
// Throws when the tracer cannot be had, or lost something.
void run(const TimeoutRoom& room, std::vector<Attempt>& all, const AttemptOptions& options);

}  // namespace brownout::bench
