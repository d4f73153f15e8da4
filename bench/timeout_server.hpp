// SPDX-License-Identifier: MIT
// A server that misbehaves on purpose, one way a port. What it does to packets is done by classic socket filters on its own
// sockets, which every kernel has: a packet that the filter refuses vanishes as on a broken path.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/trace_process.hpp"

namespace brownout::bench {

enum class Behaviour : std::uint8_t {
  kAnswer,
  kAnswerLate, // the first SYN and the first two copies of the request are lost on the way
  kSilent,     // takes the request, never answers
  kClose,      // takes the request, closes
  kReset,      // takes the request, resets
  kSwallow,    // the handshake arrives, no payload ever does
  kStuff,      // reads nothing: its window closes
  kVanish,     // takes the request; nothing that comes after it arrives
};

struct Listening {
  std::uint16_t port = 0;
  Behaviour behaviour = Behaviour::kAnswer;
};

// Says 'l' when it listens everywhere; then serves until it is killed.
int misbehave(const test::Steps& steps, const std::string& address, const std::vector<Listening>& all);

}  // namespace brownout::bench
