// SPDX-License-Identifier: MIT
// The recorded cases of tests/golden/cases: what they are made of. tests/golden/renew-cases makes them anew.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "seed_drill.hpp"

namespace brownout::test {

struct GoldenCase {
  std::string name, drill;
  std::function<Evidence()> record;
  verdict::Outcome outcome;
  std::string first_reason; // what it starts with
};

// Few calls, few samples: as much as the rules need, and no more than a person wants to read.
inline EvidenceBuilder small_drill() {
  return EvidenceBuilder{}.rates(4, 3).failures(8).then([](Evidence& evidence) {
    std::vector<events::CounterSample> kept;
    std::vector<events::CounterSample::Bucket> passed_over; // a line has the growth since the one before
    for (auto& sample : evidence.counters) {
      passed_over.insert(passed_over.end(), sample.histogram.begin(), sample.histogram.end());
      if ((sample.t_mono_ns - kStart) / kSecond % 2 != 0 && sample.t_mono_ns != kSettleEnd) continue;
      sample.histogram = std::exchange(passed_over, {});
      kept.push_back(std::move(sample));
    }
    evidence.counters = std::move(kept);
    const auto bucket = [](std::uint64_t us) { return static_cast<std::uint32_t>(kernel::histogram_bucket(us)); };
    evidence.latencies = {{.destination = "10.0.0.1:8443",
                           .target = true,
                           .phase = BROWNOUT_PHASE_BASELINE,
                           .first = {{bucket(10'000), 32}},
                           .last = {{bucket(12'000), 31}}},
                          {.destination = std::nullopt, .phase = BROWNOUT_PHASE_BASELINE, .first = {{bucket(500), 2}}, .last = {{bucket(500), 2}}}};
    for (auto& snapshot : evidence.snapshots) snapshot.error_events = static_cast<std::uint64_t>(*snapshot.error_count);
  });
}

inline std::vector<GoldenCase> golden_cases() {
  using verdict::Outcome;
  const std::string drill{kFixtureDrill};
  return {
      {"seed", std::string{kSeedDrill}, [] { return SeedDrill{}.build(); }, Outcome::kInconclusive,
       "pressure: no_pressure: "},
      {"recorded", drill, [] { return small_drill().build(); }, Outcome::kPass, "kernel_degradation: ok: 8 of 8"},
      {"blind", drill, [] { return small_drill().recorded(0).build(); }, Outcome::kFail,
       "telemetry: telemetry_blind: 0 of 8"},
      {"mild", drill, [] { return small_drill().failures(0).build(); }, Outcome::kInconclusive,
       "kernel_degradation: fault_below_app_timeout: "},
      {"left_over", drill,
       [] {
         return small_drill().then([](Evidence& evidence) { evidence.leftovers = {"interface 17"}; }).build();
       },
       Outcome::kError, "cleanup: leftovers: 1 left: interface 17"},
  };
}

}  // namespace brownout::test
