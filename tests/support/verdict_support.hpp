// SPDX-License-Identifier: MIT
// Judging built evidence, and finding one's way in the verdict.
#pragma once

#include <algorithm>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

#include "brownout/verdict.hpp"
#include "evidence_builder.hpp"

namespace brownout::test {

inline verdict::Verdict judge(EvidenceBuilder builder, const plan::Plan& plan = demo_plan()) {
  const auto evidence = builder.build();
  return verdict::judge(plan, evidence, derive(plan, evidence));
}

inline const verdict::Check& check_of(const verdict::Verdict& verdict, std::string_view name) {
  const auto found = std::ranges::find(verdict.checks, name, &verdict::Check::name);
  INFO("no check " << name << " in\n" << verdict::render_table(verdict, false));
  REQUIRE(found != verdict.checks.end());
  return *found;
}

inline void require_first(const verdict::Verdict& verdict, verdict::Outcome outcome, std::string_view first) {
  INFO(verdict::render_table(verdict, false));
  REQUIRE_FALSE(verdict.reasons.empty());
  INFO(verdict.reasons.front());
  REQUIRE(verdict.outcome == outcome);
  REQUIRE(verdict.reasons.front().starts_with(first));
}

inline nlohmann::json stopped_manifest() {
  return {{"status", "interrupted"}, {"stop_detected", true}, {"stop_time", "2025-12-23T02:00:54.540096Z"},
          {"stop_reason", "stop_file"}};
}

// STOP came in recovery; the app's last manifest as given.
inline EvidenceBuilder& stop_in_recovery(EvidenceBuilder& builder, nlohmann::json manifest) {
  return builder.then([manifest = std::move(manifest)](events::Evidence& evidence) {
    evidence.ending = events::Ending::kStopFile;
    evidence.ending_detail = "stop file";
    evidence.timeline.push_back({.t_mono_ns = kSettleEnd, .kind = "app_manifest",
                                 .fields = {{"when", "end"}, {"manifest", manifest}}});
  });
}

}  // namespace brownout::test
