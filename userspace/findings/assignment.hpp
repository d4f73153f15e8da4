// SPDX-License-Identifier: MIT
// Who belongs to whom, where several could: one to one, as many pairs as can be, then the least cost in all, then the
// smallest numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace brownout::findings {

struct Candidate {
  std::int64_t cost = 0; // not negative
  std::size_t left = 0, right = 0;
};

struct Assignment {
  std::vector<Candidate> pairs;      // by left
  std::size_t components_beyond = 0; // of those, each was solved nearest first instead
};

// Candidates that share no left and no right, not even through others, are solved apart. One such component is solved
// exactly up to this many candidates; beyond, the cheapest candidate whose two are still free is taken, again and again.
inline constexpr std::size_t kExactCandidates = 4096;

// Of pairs given twice the cheaper one counts. The result does not depend on the order of the candidates.
Assignment assign(std::vector<Candidate> candidates);

}  // namespace brownout::findings
