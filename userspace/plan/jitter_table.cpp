// SPDX-License-Identifier: MIT
// The distributions that netem ships as files, by the formulas of their generators (iproute2, netem/*.c, public domain
// code of NIST Net), so that none of its packages is needed and the drill means the same everywhere.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "brownout/plan.hpp"

namespace brownout::plan {
namespace {

using Table = std::vector<std::int16_t>;

constexpr int kSamples = 16384;
constexpr int kStride = 4;  // every fourth sample makes a table of 4096
constexpr int kParetoRange = 65536;
constexpr double kParetoShape = 3.0;

int scaled(double deviations) { return static_cast<int>(std::rint(deviations * BROWNOUT_JITTER_SCALE)); }

std::int16_t clamped(int value) {
  using Limits = std::numeric_limits<std::int16_t>;
  return static_cast<std::int16_t>(std::clamp<int>(value, Limits::min(), Limits::max()));
}

// The inverse by walking the distribution function: the last x that falls on a sample is its value. The steps are
// added up rather than multiplied, rounding and all, as the values depend on it.
std::vector<double> inverse_normal() {
  constexpr double kFrom = -10.0, kTo = 10.05, kStep = .00005;
  std::vector<double> inverse(kSamples + 1);
  for (double x = kFrom; x < kTo; x += kStep) {  // NOLINT(cert-flp30-c,clang-analyzer-security.FloatLoopCounter)
    const double probability = .5 + .5 * std::erf(x / std::sqrt(2.0));
    inverse[static_cast<std::size_t>(std::rint(kSamples * probability))] = x;
  }
  return inverse;
}

int pareto_value(int of_range) {
  const double share = static_cast<double>(of_range) / kParetoRange;
  double value = 1.0 / std::pow(share, 1.0 / kParetoShape);
  value -= 1.5;
  value *= (4.0 / 3.0) * BROWNOUT_JITTER_SCALE;
  return static_cast<int>(std::rint(std::min<double>(value, std::numeric_limits<std::int16_t>::max())));
}

Table make_normal() {
  const auto inverse = inverse_normal();
  Table table;
  for (std::size_t i = 0; i < kSamples; i += kStride) table.push_back(clamped(scaled(inverse[i])));
  return table;
}

Table make_pareto() {
  Table table;
  for (int i = kParetoRange; i > 0; i -= kParetoRange / kSamples * kStride) table.push_back(clamped(pareto_value(i)));
  return table;
}

// A quarter normal, three quarters Pareto: close to what is measured on real networks.
Table make_pareto_normal() {
  const auto inverse = inverse_normal();
  Table table;
  for (int i = 0; i < kSamples; i += kStride) {
    const int pareto = pareto_value(kParetoRange - kParetoRange / kSamples * i);
    table.push_back(clamped((scaled(inverse[static_cast<std::size_t>(i)]) + 3 * pareto) / 4));
  }
  return table;
}

}  // namespace

const Table& named_table(drill::Distribution distribution) {
  static const Table normal = make_normal(), pareto = make_pareto(), pareto_normal = make_pareto_normal(), none;
  switch (distribution) {
    case drill::Distribution::kNormal: return normal;
    case drill::Distribution::kPareto: return pareto;
    case drill::Distribution::kParetoNormal: return pareto_normal;
    case drill::Distribution::kUniform:
    case drill::Distribution::kFile: break;
  }
  return none;
}

}  // namespace brownout::plan
