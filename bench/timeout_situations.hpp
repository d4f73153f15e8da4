// SPDX-License-Identifier: MIT
// What can happen to a request, and what the tracer is expected to call it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "brownout/abi/brownout.h"
#include "timeout_clients.hpp"
#include "timeout_server.hpp"

namespace brownout::bench {

struct Situation {
  std::string name;
  std::string address; // `*`: see timeout_room.hpp
  std::optional<Behaviour> behaviour; // none: nobody listens at that port
  int connect_ms = 0, read_ms = 0;    // the client's own timeouts
  std::string option;                 // only for clients that take socket options
  std::uint32_t kind = 0;             // of the failure; 0: there is none
  int error = 0;
  bool own_read_timeout = false; // the kind depends on how the client waits
  bool unacknowledged = false;   // the request never arrived
};

const std::vector<Situation>& situations();

// Something this client can get into?
bool applies(const Situation& situation, const TimeoutClient& client);

struct Expected {
  std::uint32_t kind = 0;
  bool certain = true;
};
Expected expected(const Situation& situation, const TimeoutClient& client, bool waits);

}  // namespace brownout::bench
