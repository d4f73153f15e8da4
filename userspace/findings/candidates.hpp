// SPDX-License-Identifier: MIT
// Which app error could belong to which kernel failure, by kind, peer and time.
#pragma once

#include "assignment.hpp"
#include "brownout/findings.hpp"

namespace brownout::findings {

// Where there are more in all, each error keeps the nearest only, as many as that leaves for each, and 16 at least: what
// is so dense hangs together beyond kExactCandidates anyway, and is not paired exactly.
inline constexpr std::size_t kMostCandidates = 250'000;

// Left: the failure, right: the error. Errors with a stamp of their own are held against it moved back by the delay,
// within the slack; those without against the time in which they were written down, within kMatchReachNs.
std::vector<Candidate> candidates(const events::Evidence& evidence, const Findings& findings, const RecordDelay& delay);

// A moved copy, to ask what else the errors would fit; nothing in it is matched.
Findings moved(const Findings& findings, std::int64_t shift_ns);

inline bool is_stamped(const AppErrorFinding& error) { return error.earliest_ns == error.latest_ns; }

}  // namespace brownout::findings
