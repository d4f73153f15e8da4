// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "brownout/findings.hpp"

namespace brownout::findings {
namespace {

constexpr double kLargestMean = 1e18;

double log_gamma(double x) {
  int sign = 0; // lgamma() would write a global
  return ::lgamma_r(x, &sign);
}

// Continued fraction of the incomplete beta function, modified Lentz. It needs about sqrt(max(a, b)) steps.
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  constexpr double kEnough = 1e-15;
  const auto guarded = [](double value) { return std::fabs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / guarded(1 - (a + b) * x / (a + 1));
  double result = d;
  for (int step = 1; step <= 1'000'000; ++step) {
    const double m = step;
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guarded(1 + even * d);
    c = guarded(1 + even / c);
    result *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guarded(1 + odd * d);
    c = guarded(1 + odd / c);
    result *= d * c;
    if (std::fabs(d * c - 1) < kEnough) break;
  }
  return result;
}

double regularized_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * std::log(x) + b * std::log1p(-x));
  // The fraction converges fast below the mean; above it the symmetric one does.
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

// Smallest k with P(X <= k) >= probability.
std::uint64_t binomial_quantile(std::uint64_t n, double p, double probability) {
  std::uint64_t low = 0;
  std::uint64_t high = n;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (binomial_cdf(middle, n, p) >= probability)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

// z with P(|Z| <= z) = confidence.
double normal_quantile(double confidence) {
  double low = 0;
  double high = 40;
  for (int step = 0; step < 200; ++step) {
    const double middle = (low + high) / 2;
    (std::erf(middle / std::sqrt(2.0)) < confidence ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

double binomial_cdf(std::uint64_t k, std::uint64_t n, double p) {
  if (k >= n || p <= 0) return 1;
  if (p >= 1) return 0;
  return regularized_beta(static_cast<double>(n - k), static_cast<double>(k) + 1, 1 - p);
}

std::pair<double, double> binomial_interval(std::uint64_t n, double p, double confidence) {
  if (n == 0 || p <= 0) return {0, 0};
  if (p >= 1) return {static_cast<double>(n), static_cast<double>(n)};
  const double tail = (1 - confidence) / 2;
  return {static_cast<double>(binomial_quantile(n, p, tail)),
          static_cast<double>(binomial_quantile(n, p, 1 - tail))};
}

double poisson_tail(std::uint64_t k, double mean) {
  if (k == 0) return 1;
  if (mean <= 0) return 0;
  // Counters are the app's and may hold anything: the sums below take as many steps as a few standard deviations.
  if (mean > 1e10) return std::erfc((static_cast<double>(k) - 0.5 - mean) / std::sqrt(2 * mean)) / 2;
  // The tail is summed upwards from k, so that it stays exact where it is far below 1e-16.
  double term = std::exp(static_cast<double>(k) * std::log(mean) - mean - log_gamma(static_cast<double>(k) + 1));
  if (static_cast<double>(k) <= mean) { // the lower part is the smaller sum
    double below = 0;
    double part = term;
    for (std::uint64_t i = k; i > 0; --i) {
      part *= static_cast<double>(i) / mean;
      below += part;
      if (part < 1e-18 * below) break;
    }
    return std::clamp(1 - below, 0.0, 1.0);
  }
  double tail = 0;
  for (std::uint64_t i = k; term > 1e-18 * tail; ++i) {
    tail += term;
    term *= mean / static_cast<double>(i + 1);
    if (term == 0) break;
  }
  return std::clamp(tail, 0.0, 1.0);
}

std::uint64_t poisson_most(double mean, double probability) {
  mean = std::clamp(mean, 0.0, kLargestMean);
  std::uint64_t low = static_cast<std::uint64_t>(mean);
  std::uint64_t high = low + static_cast<std::uint64_t>(40 * std::sqrt(mean)) + 800;  // beyond any probability asked for
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (poisson_tail(middle + 1, mean) < probability)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

std::pair<double, double> proportion_interval(std::uint64_t k, std::uint64_t n, double confidence) {
  if (n == 0) return {0, 1};
  const double z = normal_quantile(confidence);
  const double count = static_cast<double>(n);
  const double share = static_cast<double>(k) / count;
  const double centre = (share + z * z / (2 * count)) / (1 + z * z / count);
  const double half = z * std::sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count);
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

}  // namespace brownout::findings
