// SPDX-License-Identifier: MIT
#include <cmath>

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "brownout/findings.hpp"

namespace findings_statistics_test {

using namespace brownout::findings;
using Catch::Approx;

TEST_CASE("the binomial distribution function, against exact fractions") {
  CHECK(binomial_cdf(4, 20, 0.3) == Approx(0.23750777887760163).epsilon(1e-12));
  CHECK(binomial_cdf(450, 1000, 0.5) == Approx(0.0008652680424881588).epsilon(1e-10));
  CHECK(binomial_cdf(20, 20, 0.3) == 1);
  CHECK(binomial_cdf(0, 10, 0.1) == Approx(std::pow(0.9, 10)).epsilon(1e-12));
}

TEST_CASE("the most that a Poisson count comes to, against its own tail") {
  CHECK(poisson_most(0, 0.01) == 0);
  for (const double mean : {0.1, 1.0, 5.0, 40.0, 1000.0}) {
    const auto most = poisson_most(mean, 0.01);
    CHECK(poisson_tail(most, mean) >= 0.01);
    CHECK(poisson_tail(most + 1, mean) < 0.01);
  }
}

TEST_CASE("99.99 % intervals of binomials, against exact fractions") {
  using Interval = std::pair<double, double>;
  CHECK(binomial_interval(1200, 0.08, 0.9999) == Interval{62, 134});
  CHECK(binomial_interval(100, 0.5, 0.9999) == Interval{31, 69});
  CHECK(binomial_interval(50, 0.1, 0.9999) == Interval{0, 15});
  CHECK(binomial_interval(10, 0.3, 0.9999) == Interval{0, 9});
  CHECK(binomial_interval(3000, 0.001, 0.9999) == Interval{0, 12});
  CHECK(binomial_interval(0, 0.5, 0.9999) == Interval{0, 0});
  CHECK(binomial_interval(77, 1, 0.9999) == Interval{77, 77});
  CHECK(binomial_interval(77, 0, 0.9999) == Interval{0, 0});
}

TEST_CASE("a binomial of many packets is near its normal approximation") {
  const auto [low, high] = binomial_interval(50'000'000, 0.05, 0.9999);
  const double deviation = std::sqrt(50e6 * 0.05 * 0.95);
  CHECK(low == Approx(2.5e6 - 3.8906 * deviation).margin(20));
  CHECK(high == Approx(2.5e6 + 3.8906 * deviation).margin(20));
}

TEST_CASE("poisson tails, also far out") {
  CHECK(poisson_tail(10, 5) == Approx(0.031828057306205304).epsilon(1e-12));
  CHECK(poisson_tail(1, 0.01) == Approx(0.009950166250831893).epsilon(1e-12));
  CHECK(poisson_tail(3, 2.5) == Approx(0.4561868841166703).epsilon(1e-12));
  CHECK(poisson_tail(60, 5) == Approx(7.649610081149391e-43).epsilon(1e-9));
  CHECK(poisson_tail(0, 0) == 1);
  CHECK(poisson_tail(1, 0) == 0);
  CHECK(poisson_tail(2, 50) == Approx(1).epsilon(1e-12));
}

TEST_CASE("wilson intervals") {
  const auto [low, high] = proportion_interval(10, 100, 0.95);
  CHECK(low == Approx(0.0552).margin(1e-4));
  CHECK(high == Approx(0.1744).margin(1e-4));
  CHECK(proportion_interval(0, 0, 0.95) == std::pair<double, double>{0, 1});
  CHECK(proportion_interval(30, 30, 0.95).second == Approx(1));
  CHECK(proportion_interval(30, 30, 0.95).first == Approx(0.8865).margin(1e-3));
}

}  // namespace findings_statistics_test
