// SPDX-License-Identifier: MIT
// What is folded while events are told is what one would find who holds them all.
#include <algorithm>
#include <random>
#include <set>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include "../../userspace/findings/population.hpp"
#include "../../userspace/findings/sequences.hpp"

namespace findings_folds_test {

using namespace brownout;
using findings::Population;
using findings::Sequences;

TEST_CASE("a population's median, largest and ranks are exact, held or written out") {
  const auto size = GENERATE(as<std::size_t>{}, 1, 2, 3, 1000, Population::kHeld - 1, Population::kHeld,
                             Population::kHeld + 1, 3 * Population::kHeld + 7);
  const auto spread = GENERATE(0.0, 1e-9, 40.0, 1e12);
  std::mt19937_64 random(size);
  std::uniform_real_distribution<double> draw{-spread, spread};
  Population population;
  std::vector<double> all;
  for (std::size_t i = 0; i < size; ++i) {
    all.push_back(i % 7 == 0 ? 3.25 : 3 + draw(random)); // some of them equal
    REQUIRE(population.add(all.back()));
  }
  std::ranges::sort(all);
  CAPTURE(size, spread);
  CHECK(population.size() == size);
  CHECK(population.largest() == all.back());
  const auto median = population.median();
  REQUIRE(median);
  CHECK(median->value() == all[(size - 1) / 2]);
  for (const double bound : {all.front(), all[size / 2], all.back(), 3.25, 1e300}) {
    const auto below = std::ranges::lower_bound(all, bound) - all.begin();
    CHECK(population.count_below(bound).value() == static_cast<std::uint64_t>(below));
  }
}

TEST_CASE("a population of none has no median") {
  const Population population;
  CHECK(population.size() == 0);
  CHECK_FALSE(population.median().value().has_value());
  CHECK(population.count_below(1).value() == 0);
}

TEST_CASE("without room for temporary files a large population is an error, not a guess") {
  const std::string before = std::getenv("TMPDIR") == nullptr ? "" : std::getenv("TMPDIR");
  ::setenv("TMPDIR", "/proc/self/nowhere", 1);
  Population population;
  Result<> added;
  for (std::size_t i = 0; added && i <= Population::kHeld; ++i) added = population.add(1);
  before.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", before.c_str(), 1);
  REQUIRE_FALSE(added);
  CHECK(added.error().code == ErrorCode::kIo);
}

TEST_CASE("gaps are what a set of all numbers would show") {
  const auto seed = GENERATE(Catch::Generators::range(1U, 40U));
  std::mt19937 random(seed);
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t n = 1; n <= 500; ++n) {
    if (random() % 10 == 0) continue; // lost
    numbers.push_back(n);
    if (random() % 20 == 0) numbers.push_back(n); // twice
  }
  // near each other in time, or in any order at all
  const std::size_t reach = seed % 3 == 0 ? numbers.size() : 1 + seed;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    std::swap(numbers[i], numbers[std::min(numbers.size() - 1, i + random() % reach)]);
  Sequences sequences;
  std::set<std::uint64_t> all;
  for (const auto number : numbers) {
    sequences.add(number);
    all.insert(number);
    REQUIRE(sequences.count() == all.size());
    REQUIRE(sequences.newest() == *all.rbegin());
    REQUIRE(sequences.missing() == *all.rbegin() - all.size());
  }
}

TEST_CASE("the ends of the numbers are numbers too") {
  Sequences sequences;
  for (const std::uint64_t number : {UINT64_MAX, std::uint64_t{1}, UINT64_MAX - 1, UINT64_MAX}) sequences.add(number);
  CHECK(sequences.count() == 3);
  CHECK(sequences.newest() == UINT64_MAX);
}

}  // namespace findings_folds_test
