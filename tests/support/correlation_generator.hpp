// SPDX-License-Identifier: MIT
// Failures of many destinations and an app's record of them, of which it is known who belongs to whom.
//
// At each destination failures come at random (a Poisson process). Some go unrecorded; as many errors as that have no
// failure, at random times of their own. A recorded error has the failure's time, a constant skew, and jitter.
#pragma once

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "brownout/findings.hpp"
#include "evidence_builder.hpp"

namespace brownout::test {

struct CorrelationOptions {
  std::uint64_t seed = 1;
  int destinations = 200;
  int failures_each = 40;
  std::int64_t mean_gap_ns = 12 * kSecond;  // between the failures of one destination
  std::int64_t skew_ns = 0;                 // of every stamp
  std::int64_t jitter_ns = 50 * kMillisecond;  // at most, either way, evenly spread
  double unmatched = 0.3;                   // of the failures, and of the errors
};

// A failure by its sequence number, an error by its message.
using KnownPairs = std::set<std::pair<std::uint64_t, std::string>>;

struct CorrelationCase {
  plan::Plan plan = demo_plan();
  Evidence evidence;
  KnownPairs truth;
};

class CorrelationGenerator {
 public:
  explicit CorrelationGenerator(const CorrelationOptions& options) : options_(options), random_(options.seed) {}

  CorrelationCase generate() {
    for (int destination = 0; destination < options_.destinations; ++destination) generate(destination);
    end_ns_ += 10 * kSecond;
    auto& evidence = case_.evidence;
    evidence.windows[BROWNOUT_PHASE_INJECT] = {kWindowStart - kSecond, end_ns_, true};
    evidence.clocks = {{kStart, kUtcOffset, 0, 200}, {end_ns_, kUtcOffset, 0, 200}};
    evidence.ending = events::Ending::kCompleted;
    shuffle(0);
    return std::move(case_);
  }

 private:
  struct Kind { std::uint32_t event; const char* error; };
  static constexpr std::array kKinds{Kind{BROWNOUT_EVENT_CLOSED_UNANSWERED, "timeout"},
                                     Kind{BROWNOUT_EVENT_CONNECT_TIMEOUT, "connect timeout"},
                                     Kind{BROWNOUT_EVENT_RESET_RECEIVED, "connection_error"}};

  bool happens(double probability) { return std::bernoulli_distribution{probability}(random_); }
  const Kind& any_kind() { return kKinds[std::uniform_int_distribution<std::size_t>{0, kKinds.size() - 1}(random_)]; }
  std::int64_t next_gap() {
    return static_cast<std::int64_t>(
        std::exponential_distribution<double>{1.0 / static_cast<double>(options_.mean_gap_ns)}(random_));
  }

  void generate(int destination) {
    std::int64_t at = kWindowStart;
    for (int i = 0; i < options_.failures_each; ++i) {
      at += next_gap();
      const auto& kind = any_kind();
      const auto sequence = add_failure(destination, kind, at);
      if (!happens(options_.unmatched)) case_.truth.emplace(sequence, add_error(destination, kind, recorded_at(at)));
    }
    std::uniform_int_distribution<std::int64_t> any_time{kWindowStart, at};
    for (int i = 0; i < options_.failures_each; ++i)
      if (happens(options_.unmatched)) add_error(destination, any_kind(), any_time(random_));
    end_ns_ = std::max(end_ns_, at);
  }

  std::int64_t recorded_at(std::int64_t failed_at) {
    return failed_at + options_.skew_ns +
           std::uniform_int_distribution<std::int64_t>{-options_.jitter_ns, options_.jitter_ns}(random_);
  }

  std::uint64_t add_failure(int destination, const Kind& kind, std::int64_t at) {
    brownout_event event{};
    event.sequence = case_.evidence.kernel_events.size() + 1;
    event.kind = kind.event;
    event.flags = kOurs | BROWNOUT_EVENT_CALL_FAILED;
    event.flow = demo_flow();
    event.flow.peer_address[14] = static_cast<std::uint8_t>(destination / 250);
    event.flow.peer_address[15] = static_cast<std::uint8_t>(destination % 250 + 1);
    event.t_mono_ns = static_cast<std::uint64_t>(at);
    event.call_start_ns = event.t_mono_ns - 100'000'000;
    event.dropped[BROWNOUT_EGRESS] = 1;
    case_.evidence.kernel_events.push_back({event, {}});
    return event.sequence;
  }

  std::string add_error(int destination, const Kind& kind, std::int64_t at) {
    if (case_.evidence.snapshots.empty())
      case_.evidence.snapshots.push_back({.t_mono_ns = INT64_MAX / 2, .status = events::SnapshotStatus::kRead});
    auto& errors = case_.evidence.snapshots.back().new_errors;
    events::AppError error;
    error.index = errors.size();
    error.utc_ns = at + kUtcOffset;
    error.type = kind.error;
    error.url = fmt::format("https://10.0.{}.{}:8443/", destination / 250, destination % 250 + 1);
    error.message = fmt::format("error {}", errors.size());
    errors.push_back(error);
    return error.message;
  }

 public:
  // Every event and error up to 30 s away from its place in time, differently for each `seed`.
  void shuffle(std::uint64_t seed) { shuffle(case_.evidence, seed); }
  static void shuffle(Evidence& evidence, std::uint64_t seed) {
    std::mt19937_64 random{seed};
    std::uniform_int_distribution<std::int64_t> late{0, 30 * kSecond};
    const auto by_time = [&](auto& list, const auto& time_of) {
      using Item = std::decay_t<decltype(list.front())>;
      std::vector<std::pair<std::int64_t, Item>> keyed;
      for (auto& item : list) keyed.emplace_back(time_of(item) + late(random), std::move(item));
      std::ranges::sort(keyed, {}, &std::pair<std::int64_t, Item>::first);
      list.clear();
      for (auto& [key, item] : keyed) list.push_back(std::move(item));
    };
    by_time(evidence.kernel_events,
            [](const KernelEvent& event) { return static_cast<std::int64_t>(event.raw.t_mono_ns); });
    auto& errors = evidence.snapshots.back().new_errors;
    by_time(errors, [](const events::AppError& error) { return *error.utc_ns; });
    for (std::size_t i = 0; i < errors.size(); ++i) errors[i].index = i;
  }

 private:
  CorrelationOptions options_;
  std::mt19937_64 random_;
  std::int64_t end_ns_ = 0;
  CorrelationCase case_;
};

inline KnownPairs found_pairs(const findings::Findings& findings) {
  KnownPairs pairs;
  for (const auto& failure : findings.failures)
    if (failure.app_error)
      pairs.emplace(failure.event.sequence,
                    findings.app_errors[*failure.app_error].error.message);
  return pairs;
}

struct Score { double precision = 0, recall = 0; };
inline Score score(const KnownPairs& truth, const KnownPairs& found) {
  const auto right = static_cast<double>(
      std::ranges::count_if(found, [&](const auto& pair) { return truth.contains(pair); }));
  return {right / static_cast<double>(std::max<std::size_t>(1, found.size())),
          right / static_cast<double>(std::max<std::size_t>(1, truth.size()))};
}

}  // namespace brownout::test
