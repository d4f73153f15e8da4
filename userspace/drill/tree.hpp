// SPDX-License-Identifier: MIT
// YAML as a plain tree with places: the one file that knows yaml-cpp is tree.cpp, and no exception leaves it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "brownout/error.hpp"

namespace brownout::drill {

inline constexpr std::size_t kMaxFileBytes = std::size_t{64} << 10;
inline constexpr int kMaxDepth = 20;
// Counted after aliases are expanded, so that a small file cannot unfold into a huge tree.
inline constexpr int kMaxNodes = 10'000;

struct Member;

struct Tree {
  enum class Kind : std::uint8_t { kNull, kScalar, kSequence, kMapping };
  Kind kind = Kind::kNull;
  std::string scalar;
  bool quoted = false; // then it is text, whatever it looks like
  int line = 1;        // 1-based, as editors count
  int column = 1;
  std::vector<Tree> items;     // of a sequence
  std::vector<Member> members; // of a mapping, in file order, keys unique
};

struct Member {
  Tree key;
  Tree value;
};

// Exactly one document that is a mapping; kInvalidDrill otherwise.
Result<Tree> read_tree(std::string_view text, std::string_view file);

std::unexpected<Error> refuse_at(std::string_view file, int line, int column, std::string_view problem,
                                 std::string hint = {});

}  // namespace brownout::drill
