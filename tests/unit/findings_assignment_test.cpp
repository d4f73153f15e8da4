// SPDX-License-Identifier: MIT
// The assignment of app errors to kernel failures, held against trying everything.
#include <algorithm>
#include <map>
#include <optional>
#include <random>

#include <catch2/catch_test_macros.hpp>

#include "../../userspace/findings/assignment.hpp"

namespace findings_assignment_test {

using namespace brownout::findings;

namespace {

using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;

struct Best {
  std::size_t count = 0;
  std::int64_t cost = 0;
  Pairs pairs;
  bool better_than(const Best& other) const {
    if (count != other.count) return count > other.count;
    if (cost != other.cost) return cost < other.cost;
    return pairs < other.pairs;
  }
};

// Every assignment of the lefts from `left` on to rights that are not in `taken`.
class Everything {
 public:
  Everything(std::size_t lefts, std::size_t rights, const std::vector<Candidate>& candidates)
      : lefts_(lefts), rights_(rights) {
    for (const auto& one : candidates) {
      auto& cost = costs_[{one.left, one.right}];
      cost = cost ? std::min(*cost, one.cost) : one.cost;
    }
  }
  const Best& best(std::size_t left = 0, unsigned taken = 0) {
    auto& known = known_[{left, taken}];
    if (known) return *known;
    if (left == lefts_) return *(known = Best{});
    Best winner = best(left + 1, taken);
    for (std::size_t right = 0; right < rights_; ++right) {
      const auto cost = costs_.find({left, right});
      if (cost == costs_.end() || (taken >> right & 1) != 0) continue;
      Best with = best(left + 1, taken | 1U << right);
      ++with.count;
      with.cost += *cost->second;
      with.pairs.insert(with.pairs.begin(), {left, right});
      if (with.better_than(winner)) winner = std::move(with);
    }
    return *(known_[{left, taken}] = std::move(winner));
  }

 private:
  std::size_t lefts_, rights_;
  std::map<std::pair<std::size_t, std::size_t>, std::optional<std::int64_t>> costs_;
  std::map<std::pair<std::size_t, unsigned>, std::optional<Best>> known_;
};

Pairs pairs_of(const Assignment& assignment) {
  Pairs pairs;
  for (const auto& one : assignment.pairs) pairs.emplace_back(one.left, one.right);
  return pairs;
}

}  // namespace

TEST_CASE("ten thousand random instances up to 8 x 8 are solved as by trying everything") {
  std::mt19937_64 random{20'260'101};
  const auto up_to = [&random](std::size_t most) { return std::uniform_int_distribution<std::size_t>{0, most}(random); };
  for (int instance = 0; instance < 10'000; ++instance) {
    const std::size_t lefts = 1 + up_to(7), rights = 1 + up_to(7), density = 1 + up_to(3);
    // Few different costs, so that ties are common.
    const std::size_t most_cost = instance % 2 == 0 ? 3 : 1'000'000'000;
    std::vector<Candidate> candidates;
    for (std::size_t left = 0; left < lefts; ++left)
      for (std::size_t right = 0; right < rights; ++right)
        if (up_to(3) < density) candidates.push_back({static_cast<std::int64_t>(up_to(most_cost)), left, right});
    std::ranges::shuffle(candidates, random);
    Everything everything{lefts, rights, candidates};
    const auto& best = everything.best();
    const auto found = assign(candidates);
    std::int64_t cost = 0;
    for (const auto& pair : found.pairs) cost += pair.cost;
    INFO("instance " << instance);
    REQUIRE(found.pairs.size() == best.count);
    REQUIRE(cost == best.cost);
    REQUIRE(pairs_of(found) == best.pairs);
    REQUIRE(found.components_beyond == 0);
  }
}

TEST_CASE("more pairs go before less distance, and numbers decide between equals") {
  // Nearest first would take 0-0 and leave 1 without.
  CHECK(pairs_of(assign({{1, 0, 0}, {5, 0, 1}, {5, 1, 0}})) == Pairs{{0, 1}, {1, 0}});
  CHECK(pairs_of(assign({{1, 7, 4}, {1, 7, 3}, {1, 9, 3}, {1, 9, 4}})) == Pairs{{7, 3}, {9, 4}});
  CHECK(pairs_of(assign({{1, 2, 5}, {1, 1, 5}})) == Pairs{{1, 5}});
  CHECK(assign({}).pairs.empty());
}

TEST_CASE("a component beyond the limit is solved nearest first, and counted; others stay exact") {
  std::vector<Candidate> candidates;
  for (std::size_t left = 0; left < 70; ++left)
    for (std::size_t right = 0; right < 70; ++right)
      candidates.push_back({static_cast<std::int64_t>(left > right ? left - right : right - left), left, right});
  candidates.insert(candidates.end(), {{1, 100, 100}, {5, 100, 101}, {5, 101, 100}});
  const auto found = assign(candidates);
  CHECK(found.components_beyond == 1);
  CHECK(found.pairs.size() == 72);
  CHECK(pairs_of(found).at(3) == std::pair<std::size_t, std::size_t>{3, 3});
  CHECK(pairs_of(found).at(70) == std::pair<std::size_t, std::size_t>{100, 101});
}

}  // namespace findings_assignment_test
