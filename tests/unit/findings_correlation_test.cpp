// SPDX-License-Identifier: MIT
// App errors and failures of many destinations, of which it is known who belongs to whom.
#include <cstdlib>
#include <optional>

#include <catch2/catch_test_macros.hpp>

#include "../support/correlation_generator.hpp"
#include "brownout/findings.hpp"

namespace findings_correlation_test {

using namespace brownout;
using test::CorrelationOptions;
using test::kMillisecond;
using test::kSecond;

namespace {

using findings::kMatchReachNs;

test::Score score_of(const CorrelationOptions& options) {
  const auto generated = test::CorrelationGenerator{options}.generate();
  const auto found = test::derive(generated.plan, generated.evidence);
  return test::score(generated.truth, test::found_pairs(found));
}

}  // namespace

TEST_CASE("200 destinations, a constant skew of up to 2 s, 30 % unmatched on either side: 99 of 100 pairs are right") {
  std::uint64_t seed = 0;
  for (const std::int64_t skew_ms : {0, 3, 250, 700, 1000, 1999, -400, -2000}) {
    const auto [precision, recall] =
        score_of({.seed = ++seed, .mean_gap_ns = 4 * kMatchReachNs, .skew_ns = skew_ms * kMillisecond});
    INFO("skew " << skew_ms << " ms, seed " << seed << ": precision " << precision << ", recall " << recall);
    CHECK(precision >= 0.99);
    CHECK(recall >= 0.99);
  }
}

TEST_CASE("the same pairs for any order of input within 30 s") {
  for (const std::int64_t gap : {4 * kMatchReachNs, kMatchReachNs / 4}) {
    auto generated = test::CorrelationGenerator{{.destinations = 20, .mean_gap_ns = gap, .skew_ns = kSecond}}.generate();
    // Some at the very same time, so that only numbers decide.
    for (auto& event : generated.evidence.kernel_events) event.raw.t_mono_ns -= event.raw.t_mono_ns % 100'000'000;
    for (auto& error : generated.evidence.snapshots.back().new_errors) *error.utc_ns -= *error.utc_ns % 100'000'000;
    std::optional<test::KnownPairs> first;
    for (std::uint64_t order = 1; order <= 10; ++order) {
      test::CorrelationGenerator::shuffle(generated.evidence, order);
      const auto found = test::derive(generated.plan, generated.evidence);
      const auto pairs = test::found_pairs(found);
      if (!first) first = pairs;
      CHECK(*first == pairs);
      CHECK(pairs.size() > 300);
    }
  }
}

TEST_CASE("the constant delay of an app's stamps is found, said, and used; without one the full reach is") {
  const auto found = [](const CorrelationOptions& options) {
    const auto generated = test::CorrelationGenerator{options}.generate();
    return test::derive(generated.plan, generated.evidence);
  };
  const auto late = found({.destinations = 20, .mean_gap_ns = 4 * kMatchReachNs, .skew_ns = 1700 * kMillisecond});
  REQUIRE(late.record_delay);
  CHECK(std::llabs(late.record_delay->delay_ns - 1700 * kMillisecond) < 10 * kMillisecond);
  CHECK(late.record_delay->slack_ns >= 100 * kMillisecond);
  CHECK(late.record_delay->slack_ns <= 200 * kMillisecond);
  CHECK(late.record_delay->pairs > 400);
  // Nothing is recorded at all: strangers heap nowhere.
  CHECK_FALSE(found({.destinations = 20, .mean_gap_ns = kSecond, .unmatched = 1}).record_delay);
  // Delays anywhere within 2.5 s either way: no heap.
  const auto any = found({.destinations = 20, .mean_gap_ns = 4 * kMatchReachNs, .jitter_ns = 2500 * kMillisecond});
  CHECK_FALSE(any.record_delay);
  CHECK(any.failures_recorded > 480);
}

TEST_CASE("an app with two delays, of which one is the common one, loses no pair to the narrow slack") {
  auto generated = test::CorrelationGenerator{{.destinations = 20, .mean_gap_ns = 40 * kSecond, .unmatched = 0}}.generate();
  auto& errors = generated.evidence.snapshots.back().new_errors;
  for (std::size_t i = 0; i < errors.size(); i += 5) *errors[i].utc_ns += 2 * kSecond;
  const auto found = test::derive(generated.plan, generated.evidence);
  CHECK_FALSE(found.record_delay);
  const auto [precision, recall] = test::score(generated.truth, test::found_pairs(found));
  CHECK(precision >= 0.99);
  CHECK(recall >= 0.99);
}

TEST_CASE("crowds of failures and errors cost no crowd of candidates, and pair all the same") {
  for (const bool stamped : {true, false}) {
    auto generated = test::CorrelationGenerator{{.destinations = 1, .failures_each = 700, .mean_gap_ns = kMillisecond,
                                                 .jitter_ns = kMillisecond, .unmatched = 0}}.generate();
    auto& snapshot = generated.evidence.snapshots.back();
    snapshot.t_mono_ns = test::kWindowStart + 2 * kSecond;
    for (auto& error : snapshot.new_errors)
      if (!stamped) error.utc_ns.reset();
    for (auto& event : generated.evidence.kernel_events) event.raw.kind = BROWNOUT_EVENT_CLOSED_UNANSWERED;
    for (auto& error : snapshot.new_errors) error.type = "timeout";
    const auto found = test::derive(generated.plan, generated.evidence);
    CHECK(found.components_not_exact == 1);
    CHECK(found.failures_recorded >= 675);
  }
}

}  // namespace findings_correlation_test
