// SPDX-License-Identifier: MIT
#include "assignment.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

namespace brownout::findings {
namespace {

// Minimum-cost flow from a source over lefts and rights to a sink, one unit an arc. Successive shortest paths give the
// most pairs at the least cost; any other optimum differs from it by cycles of cost 0.
class Flow {
 public:
  Flow(std::size_t lefts, std::size_t rights, const std::vector<Candidate>& candidates)
      : lefts_(lefts), source_(lefts + rights), sink_(source_ + 1), out_(sink_ + 1) {
    for (const auto& [cost, left, right] : candidates) add(left, lefts + right, cost);
    for (std::size_t left = 0; left < lefts; ++left) add(source_, left, 0);
    for (std::size_t right = 0; right < rights; ++right) add(lefts + right, sink_, 0);
  }

  void solve() {
    while (augment()) {
    }
    find_potentials();
    prefer_small_numbers();
  }

  std::vector<std::pair<std::size_t, std::size_t>> pairs() const {
    std::vector<std::pair<std::size_t, std::size_t>> all;
    for (std::size_t arc = 0; arc < arcs_.size(); arc += 2)
      if (arcs_[arc].from < lefts_ && !arcs_[arc].open) all.emplace_back(arcs_[arc].from, arcs_[arc].to - lefts_);
    std::ranges::sort(all);
    return all;
  }

 private:
  struct Arc {
    std::size_t from, to;
    std::int64_t cost;
    bool open;  // has room; its reverse, at index ^ 1, has it when it is used
  };
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  void add(std::size_t from, std::size_t to, std::int64_t cost) {
    out_[from].push_back(arcs_.size());
    arcs_.push_back({from, to, cost, true});
    out_[to].push_back(arcs_.size());
    arcs_.push_back({to, from, -cost, false});
  }

  void use(std::size_t arc) {
    arcs_[arc].open = false;
    arcs_[arc ^ 1].open = true;
  }

  // Bellman and Ford's shortest paths over open arcs, by queue; `start` holds the nodes that are at distance 0.
  std::vector<std::size_t> shortest(std::deque<std::size_t> start, std::vector<std::int64_t>& distance) const {
    std::vector<std::size_t> into(out_.size(), kNone);
    std::vector<bool> queued(out_.size(), false);
    for (const std::size_t node : start) queued[node] = true;
    for (; !start.empty(); start.pop_front()) {
      const std::size_t node = start.front();
      queued[node] = false;
      for (const std::size_t arc : out_[node]) {
        const auto& [from, to, cost, open] = arcs_[arc];
        if (!open || distance[from] + cost >= distance[to]) continue;
        distance[to] = distance[from] + cost;
        into[to] = arc;
        if (!queued[to]) start.push_back(to);
        queued[to] = true;
      }
    }
    return into;
  }

  bool augment() {
    constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max() / 2;
    std::vector<std::int64_t> distance(out_.size(), kFar);
    distance[source_] = 0;
    const auto into = shortest({source_}, distance);
    if (into[sink_] == kNone) return false;
    for (std::size_t node = sink_; node != source_; node = arcs_[into[node]].from) use(into[node]);
    return true;
  }

  void find_potentials() {
    potential_.assign(out_.size(), 0);
    std::deque<std::size_t> all(out_.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    shortest(std::move(all), potential_);
  }

  bool is_free_of_cost(const Arc& arc) const {
    return arc.open && arc.cost + potential_[arc.from] - potential_[arc.to] == 0;
  }

  // The arcs of a way from one node to another that costs nothing and touches nothing settled; empty: there is none.
  std::vector<std::size_t> free_way(std::size_t from, std::size_t to) const {
    std::vector<std::size_t> into(out_.size(), kNone);
    std::deque<std::size_t> open{from};
    for (; !open.empty() && into[to] == kNone; open.pop_front())
      for (const std::size_t arc : out_[open.front()]) {
        const std::size_t next = arcs_[arc].to;
        if (next == from || settled_[next] || into[next] != kNone || !is_free_of_cost(arcs_[arc])) continue;
        into[next] = arc;
        open.push_back(next);
      }
    std::vector<std::size_t> way;
    if (into[to] != kNone)
      for (std::size_t node = to; node != from; node = arcs_[into[node]].from) way.push_back(into[node]);
    return way;
  }

  // Each left in turn gets the smallest right that it has in any optimum which keeps what was settled before.
  void prefer_small_numbers() {
    settled_.assign(out_.size(), false);
    for (std::size_t left = 0; left < lefts_; ++left) {
      std::vector<std::size_t> choices;
      for (const std::size_t arc : out_[left])
        if (arc % 2 == 0 && !settled_[arcs_[arc].to]) choices.push_back(arc);
      std::ranges::sort(choices, {}, [this](std::size_t arc) { return arcs_[arc].to; });
      for (const std::size_t arc : choices)
        if (try_to_use(arc)) {
          settled_[arcs_[arc].to] = true;
          break;
        }
      settled_[left] = true;
    }
  }

  bool try_to_use(std::size_t arc) {
    if (!arcs_[arc].open) return true;  // it is in use
    if (!is_free_of_cost(arcs_[arc])) return false;
    const auto way = free_way(arcs_[arc].to, arcs_[arc].from);
    if (way.empty()) return false;
    use(arc);
    for (const std::size_t one : way) use(one);
    return true;
  }

  std::size_t lefts_, source_, sink_;
  std::vector<Arc> arcs_;
  std::vector<std::vector<std::size_t>> out_;
  std::vector<std::int64_t> potential_;
  std::vector<bool> settled_;
};

std::vector<std::size_t> sorted_numbers(const std::vector<Candidate>& candidates, std::size_t Candidate::*side) {
  std::vector<std::size_t> numbers;
  for (const auto& candidate : candidates) numbers.push_back(candidate.*side);
  std::ranges::sort(numbers);
  const auto [first, last] = std::ranges::unique(numbers);
  numbers.erase(first, last);
  return numbers;
}

std::size_t place_of(const std::vector<std::size_t>& numbers, std::size_t number) {
  return static_cast<std::size_t>(std::ranges::lower_bound(numbers, number) - numbers.begin());
}

void solve_exactly(const std::vector<Candidate>& component, std::vector<Candidate>& pairs) {
  const auto lefts = sorted_numbers(component, &Candidate::left), rights = sorted_numbers(component, &Candidate::right);
  std::vector<Candidate> renumbered;
  std::map<std::pair<std::size_t, std::size_t>, std::int64_t> costs;
  for (const auto& candidate : component) {
    renumbered.push_back({candidate.cost, place_of(lefts, candidate.left), place_of(rights, candidate.right)});
    costs[{candidate.left, candidate.right}] = candidate.cost;
  }
  Flow flow{lefts.size(), rights.size(), renumbered};
  flow.solve();
  for (const auto& [left, right] : flow.pairs())
    pairs.push_back({costs.at({lefts[left], rights[right]}), lefts[left], rights[right]});
}

void solve_nearest_first(std::vector<Candidate> component, std::vector<Candidate>& pairs) {
  std::ranges::sort(component, {}, [](const Candidate& one) { return std::tuple(one.cost, one.left, one.right); });
  std::map<std::size_t, bool> left_taken, right_taken;
  for (const auto& candidate : component) {
    if (left_taken[candidate.left] || right_taken[candidate.right]) continue;
    left_taken[candidate.left] = right_taken[candidate.right] = true;
    pairs.push_back(candidate);
  }
}

class DisjointSets {
 public:
  explicit DisjointSets(std::size_t size) : parent_(size) { std::iota(parent_.begin(), parent_.end(), std::size_t{0}); }
  std::size_t root(std::size_t node) {
    while (parent_[node] != node) node = parent_[node] = parent_[parent_[node]];
    return node;
  }
  void join(std::size_t a, std::size_t b) { parent_[root(a)] = root(b); }

 private:
  std::vector<std::size_t> parent_;
};

std::vector<std::vector<Candidate>> components_of(const std::vector<Candidate>& candidates) {
  const auto lefts = sorted_numbers(candidates, &Candidate::left), rights = sorted_numbers(candidates, &Candidate::right);
  DisjointSets sets{lefts.size() + rights.size()};
  for (const auto& one : candidates) sets.join(place_of(lefts, one.left), lefts.size() + place_of(rights, one.right));
  std::map<std::size_t, std::vector<Candidate>> components;
  for (const auto& one : candidates) components[sets.root(place_of(lefts, one.left))].push_back(one);
  std::vector<std::vector<Candidate>> all;
  for (auto& [root, component] : components) all.push_back(std::move(component));
  return all;
}

void keep_cheapest_of_each_pair(std::vector<Candidate>& candidates) {
  std::ranges::sort(candidates, {}, [](const Candidate& one) { return std::tuple(one.left, one.right, one.cost); });
  const auto [first, last] = std::ranges::unique(candidates, [](const Candidate& a, const Candidate& b) {
    return a.left == b.left && a.right == b.right;
  });
  candidates.erase(first, last);
}

}  // namespace

Assignment assign(std::vector<Candidate> candidates) {
  keep_cheapest_of_each_pair(candidates);
  Assignment assignment;
  for (const auto& component : components_of(candidates)) {
    if (component.size() <= kExactCandidates) {
      solve_exactly(component, assignment.pairs);
    } else {
      solve_nearest_first(component, assignment.pairs);
      ++assignment.components_beyond;
    }
  }
  std::ranges::sort(assignment.pairs, {}, &Candidate::left);
  return assignment;
}

}  // namespace brownout::findings
