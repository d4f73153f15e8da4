// SPDX-License-Identifier: MIT
// One attempt held against what was expected of the tracer. Pure.
#pragma once

#include <string>

#include "timeout_attempts.hpp"

namespace brownout::bench {

struct Judgement {
  bool client = true;      // it got into its situation: answered or not, as expected
  bool kind = true;        // the expected failure is there; or there is none, and a call was answered
  bool wrong_kind = false; // a failure of another kind is there
  bool certainty = true;
  bool error = true;       // the errno
  bool acknowledgement = true; // it says whether the peer had taken the request
  bool owner = true;       // pid and comm, of every event of the connection
  bool destination = true; // address and port, of every event of the process

  bool right() const;
  // The names of what is not as expected: "kind, owner".
  std::string wrong() const;
};
Judgement judge(const Attempt& attempt, bool waits);

// Those that are failures by kind.
std::vector<brownout_event> failures(const Attempt& attempt);

}  // namespace brownout::bench
